package lifetime

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

// An item is an environment as LifeTime describes it (facts.md 2.1).
type item struct {
	Key                string
	Name               string
	HostName           string
	IsCloudEnvironment bool
	IsOffline          *bool // nil: this LifeTime does not say
}

// A deployment is one in LifeTime's list (facts.md 2.2).
type deployment struct {
	Key                  string
	TargetEnvironmentKey string
	StartedOn            stamp
}

// A status is how a deployment stands.
type status struct {
	DeploymentStatus string
	Info             string
}

// A failure is the body of LifeTime's errors (facts.md 2).
type failure struct {
	Errors     []string
	StatusCode int
}

// A stamp is a point in time as LifeTime writes it: with or without a zone and
// a fraction, and 1 January 1900 for none (facts.md 2).
type stamp struct {
	time.Time
	none bool // there certainly is none
}

// UnmarshalJSON implements [json.Unmarshaler]. A stamp that is empty or null
// says nothing.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*s = stamp{}
	if text == nil || *text == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, *text); err == nil {
			s.Time, s.none = t, t.Equal(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC))
			return nil
		}
	}
	return errors.New("a point in time is not written as LifeTime writes it")
}

// decodeItems reads a list of environments.
func decodeItems(b []byte) ([]item, error) {
	var items []item
	if err := wire.JSON(b, &items, false); err != nil {
		return nil, err
	}
	if len(items) > environment.MaxEnvironments {
		return nil, fmt.Errorf("LifeTime lists %d environments, at most %d are accepted", len(items), environment.MaxEnvironments)
	}
	keys, names := map[string]bool{}, map[string]bool{}
	for n, i := range items {
		key := strings.ToLower(i.Key)
		if err := i.check(); err != nil {
			return nil, fmt.Errorf("environment %d of LifeTime's list: %w", n+1, err)
		}
		if keys[key] || names[i.Name] {
			return nil, fmt.Errorf("environment %d of LifeTime's list, %s, has the key or the name of one before it", n+1, printable.Text(i.Name))
		}
		keys[key], names[i.Name] = true, true
	}
	return items, nil
}

// decodeItem reads one environment.
func decodeItem(b []byte) (item, error) {
	var i item
	if err := wire.JSON(b, &i, false); err != nil {
		return item{}, err
	}
	return i, i.check()
}

func (i item) check() error {
	if i.Name == "" {
		return errors.New("it has no name")
	}
	return checkKey(i.Key)
}

// decodeDeployments reads a list of deployments.
func decodeDeployments(b []byte) ([]deployment, error) {
	var list []deployment
	if err := wire.JSON(b, &list, false); err != nil {
		return nil, err
	}
	for n, d := range list {
		if err := checkKey(d.Key); err != nil {
			return nil, fmt.Errorf("deployment %d of LifeTime's list: %w", n+1, err)
		}
	}
	return list, nil
}

// decodeStatus reads how a deployment stands.
func decodeStatus(b []byte) (status, error) {
	var s status
	if err := wire.JSON(b, &s, false); err != nil {
		return status{}, err
	}
	if s.DeploymentStatus == "" {
		return status{}, errors.New("the answer has no DeploymentStatus")
	}
	return s, nil
}

// decodeError reads the body of an error. It is strict: what has another form
// may come from somebody else than LifeTime, and then says nothing of the
// request.
func decodeError(b []byte) (failure, error) {
	var f failure
	if err := wire.JSON(b, &f, true); err != nil {
		return failure{}, err
	}
	if len(f.Errors) == 0 {
		return failure{}, errors.New("it names no error")
	}
	return f, nil
}

// checkKey accepts what can be part of a path: keys are GUIDs (facts.md 2.1).
func checkKey(key string) error {
	const longest = 64
	if key == "" || len(key) > longest || strings.ContainsFunc(key, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-')
	}) {
		return fmt.Errorf(`"%s" is no key`, printable.Text(key))
	}
	return nil
}
