package enumerate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/changeover-go/changeover/internal/reliability/crashdisk"
)

// A how says what happens at a point.
type how string

const (
	kill how = "kill" // the process ends, and the machine goes on; survivors: the power is cut

	// What an operation of the disk does.
	eio    how = "eio"    // fails
	enospc how = "enospc" // finds the disk full
	erofs  how = "erofs"  // finds it read only
	short  how = "short"  // is done by half, and then finds the disk full
	done   how = "done"   // is done, and fails
	drop   how = "drop"   // of a sync: fails, and what was to be synced never will be

	// What a call of a port does.
	lost       how = "lost"       // is not passed on, and nobody knows
	unanswered how = "unanswered" // is passed on, and nobody knows
	notReached how = "notReached" // is not passed on, and says so
)

// A point is a moment of one process and what happens at it. As text:
//
//	117:kill      the process ends after event 117; -1: before the first
//	117:torn      the power is cut after event 117; crashdisk.Survivors
//	117:eio       operation 117 fails; 117:eio+ and every one after it
//	12:lost       port call 12 is lost; 12:lost+ and every one like it
type point struct {
	at     int
	how    how
	always bool
}

func (p point) crash() bool { return p.how == kill || p.survivors() != "" }

func (p point) survivors() crashdisk.Survivors {
	switch p.how {
	case kill, eio, enospc, erofs, short, done, drop, lost, unanswered, notReached:
		return ""
	}
	return crashdisk.Survivors(p.how)
}

func (p point) call() bool { return p.how == lost || p.how == unanswered || p.how == notReached }

func (p point) String() string {
	s := fmt.Sprintf("%d:%s", p.at, p.how)
	if p.always {
		s += "+"
	}
	return s
}

// A trial is a play with what goes wrong in its first processes, one point
// each. As text, the name of the play and the points, with spaces between.
type trial struct {
	play   *play
	points []point
}

func (t trial) String() string {
	s := t.play.name
	for _, p := range t.points {
		s += " " + p.String()
	}
	return s
}

func parseTrial(s string) (t trial, err error) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return t, fmt.Errorf("no play is named")
	}
	if t.play = playNamed(words[0]); t.play == nil {
		return t, fmt.Errorf("there is no play %q", words[0])
	}
	for _, word := range words[1:] {
		at, what, _ := strings.Cut(word, ":")
		p := point{}
		if p.at, err = strconv.Atoi(at); err != nil {
			return t, err
		}
		what, p.always = strings.CutSuffix(what, "+")
		p.how = how(what)
		if s := p.survivors(); s != "" {
			if _, err := crashdisk.ParseSurvivors(string(s)); err != nil {
				return t, err
			}
		}
		t.points = append(t.points, p)
	}
	return t, nil
}
