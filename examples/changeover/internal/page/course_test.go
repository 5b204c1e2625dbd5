package page

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
)

func TestARulerKeepsTheOrderAndStaysInside(t *testing.T) {
	draws := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		times := make([]time.Time, n)
		at := fake.Start()
		for i := range times {
			switch draws.IntN(8) {
			case 0:
			case 1:
				at = at.Add(-time.Minute) // somebody sets the clock back
			case 2:
				at = at.Add(time.Duration(draws.IntN(72)) * time.Hour)
			default:
				at = at.Add(time.Duration(draws.IntN(60_000)) * time.Millisecond)
			}
			times[i] = at
		}
		r := newRuler(times)
		require.Len(t, r.at, n)
		require.LessOrEqual(t, len(r.cuts), mostCuts)
		for i, x := range r.at {
			require.GreaterOrEqual(t, x, margin-1e-6)
			require.LessOrEqual(t, x, 100-margin+1e-6)
			if i > 0 {
				require.Greater(t, x, r.at[i-1], "entry %d of %d: the order can be seen", i, n)
			}
		}
		if n > 1 {
			require.InDelta(t, 100-margin, r.at[n-1], 1e-6, "all the room is used")
		}
		ticks := ticks(times, r)
		for i := 1; i < len(ticks); i++ {
			require.NotEqual(t, ticks[i-1].X, ticks[i].X)
		}
	}
}

func TestTimeIsToScaleAndALongGapIsCut(t *testing.T) {
	var times []time.Time
	for i := range 21 {
		times = append(times, fake.Start().Add(time.Duration(i)*10*time.Second))
	}
	even := newRuler(times)
	require.Empty(t, even.cuts)
	for i := 1; i < len(times); i++ {
		require.InDelta(t, room/20, even.at[i]-even.at[i-1], 1e-6)
	}
	for i := 10; i < len(times); i++ {
		times[i] = times[i].Add(3 * 24 * time.Hour)
	}
	cut := newRuler(times)
	require.Len(t, cut.cuts, 1)
	require.Equal(t, "3 d 0 h", cut.cuts[0].Text)
	require.InDelta(t, cutWidth, cut.at[10]-cut.at[9], 1e-6)
	require.InDelta(t, (room-cutWidth)/19, cut.at[15]-cut.at[14], 1e-6, "the rest is to scale")
}

func TestTheCourseTellsApartWhatHappened(t *testing.T) {
	d := newDocument(find(t, "eventful"))
	classes := func(name string) (bars, signs []string) {
		i := slices.IndexFunc(d.Course.Lanes, func(l lane) bool { return l.Name == name })
		require.GreaterOrEqual(t, i, 0, name)
		for _, b := range d.Course.Lanes[i].Bars {
			bars = append(bars, b.Class)
		}
		for _, s := range d.Course.Lanes[i].Signs {
			signs = append(signs, s.Class)
		}
		return slices.Compact(slices.Sorted(slices.Values(bars))), signs
	}
	for _, c := range []struct {
		lane        string
		bars, signs []string
	}{
		{"infrastructure", []string{"person", "work"}, nil},
		{"Production", []string{"doubt", "work"}, []string{"source", "doubt", "target"}},
		{"Quality", []string{"retry", "work"}, []string{"source", "failed", "failed", "target"}},
		{"Development", []string{"freeze", "person", "work"}, []string{"source", "target"}},
		{"LifeTime", []string{"work"}, []string{"source", "target"}},
	} {
		bars, signs := classes(c.lane)
		require.Equal(t, c.bars, bars, c.lane)
		require.Equal(t, c.signs, signs, c.lane)
	}
	var labels []string
	for _, l := range d.Course.Legend {
		labels = append(labels, l.Class)
	}
	require.Equal(t, []string{"work", "person", "retry", "doubt", "freeze", "failed", "source", "target"}, labels, "the legend has what is shown, and nothing else")
	require.True(t, slices.ContainsFunc(d.Course.Lanes[0].Bars, func(b bar) bool {
		return b.Class == "person" && strings.HasSuffix(b.Title, "openGate, answered by Grace Hopper")
	}), "what somebody answered was a wait for that person")
	require.Len(t, d.Course.Cuts, 2, "16 hours for Support, 40 minutes for the release")
	require.Empty(t, d.Course.Stopped)
	require.NotEmpty(t, newDocument(find(t, "rolled back")).Course.Stopped)
}

func TestWhatWasUnderWayIsGoingOnWhenLiveAndInDoubtWhenNot(t *testing.T) {
	last := func(v View) (bar, card) {
		d := newDocument(v)
		i := slices.IndexFunc(d.Course.Lanes, func(l lane) bool { return l.Name == "Quality" })
		j := slices.IndexFunc(d.Cards, func(c card) bool { return c.Name == "Quality" })
		bars := d.Course.Lanes[i].Bars
		return bars[len(bars)-1], d.Cards[j]
	}
	b, c := last(find(t, "in the middle, live"))
	require.Equal(t, "work", b.Class)
	require.Equal(t, "work", c.Class)
	require.Equal(t, "upload is under way", c.Waiting)
	b, c = last(find(t, "in the middle"))
	require.Equal(t, "doubt", b.Class)
	require.Equal(t, "doubt", c.Class)
	require.Contains(t, c.Waiting, "nobody knows yet what came of upload")
}

func TestDurationsAreSaidAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 1499 * time.Millisecond: "1 s", 59 * time.Second: "59 s", time.Minute: "1 min 0 s",
		61 * time.Minute: "1 h 1 min", 25 * time.Hour: "1 d 1 h", 240 * time.Hour: "10 d 0 h",
	} {
		require.Equal(t, want, lasting(d))
	}
}
