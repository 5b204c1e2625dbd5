package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/internal/printable"
)

// A Scenario is what is to go wrong, in a file:
//
//	{"faults": [
//	  {"kind": "answerLost", "environment": "Quality", "operation": "SetLicense", "skip": 1},
//	  {"kind": "serialChanged", "environment": "Production", "operation": "SetLicense"}
//	]}
type Scenario struct {
	Faults []Fault `json:"faults"`
}

// MaxScenario is how many bytes a scenario may have.
const MaxScenario = 1 << 20

// ReadScenario reads a scenario for a world. The error names everything that
// is wrong: keys, kinds, operations, environments, modules.
func ReadScenario(in io.Reader, w *fake.World) (Scenario, error) {
	b, err := io.ReadAll(io.LimitReader(in, MaxScenario+1))
	switch {
	case err != nil:
		return Scenario{}, fmt.Errorf("scenario: %w", err)
	case len(b) > MaxScenario:
		return Scenario{}, fmt.Errorf("scenario: it has more than %d bytes", MaxScenario)
	}
	var raw map[string]json.RawMessage
	if err := single(b, &raw); err != nil {
		return Scenario{}, fmt.Errorf("scenario: %w", err)
	}
	var list []json.RawMessage
	var errs []error
	for _, k := range sorted(raw) {
		if k != "faults" {
			errs = append(errs, fmt.Errorf("there is no key \"%s\"", printable.Text(k)))
		}
	}
	if raw["faults"] == nil {
		errs = append(errs, errors.New("the key \"faults\" is missing"))
	} else if err := json.Unmarshal(raw["faults"], &list); err != nil {
		errs = append(errs, fmt.Errorf("faults: %w", err))
	}
	known := faultKeys()
	var s Scenario
	for i, item := range list {
		var keys map[string]json.RawMessage
		var f Fault
		if err := errors.Join(json.Unmarshal(item, &keys), json.Unmarshal(item, &f)); err != nil {
			errs = append(errs, fmt.Errorf("faults[%d]: %s", i, strings.ReplaceAll(printable.Text(err.Error()), "\n", "; ")))
		} else if err := f.check(w); err != nil {
			errs = append(errs, fmt.Errorf("faults[%d]: %s", i, strings.ReplaceAll(err.Error(), "\n", "; ")))
		}
		for _, k := range sorted(keys) {
			if !slices.Contains(known, k) {
				errs = append(errs, fmt.Errorf("faults[%d]: there is no key \"%s\"", i, printable.Text(k)))
			}
		}
		s.Faults = append(s.Faults, f)
	}
	if err := errors.Join(errs...); err != nil {
		return Scenario{}, fmt.Errorf("scenario: %w", err)
	}
	return s, nil
}

// single reads one JSON value with nothing behind it.
func single(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

func sorted(m map[string]json.RawMessage) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// faultKeys are the keys of a fault.
func faultKeys() (keys []string) {
	for field := range reflect.TypeFor[Fault]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		keys = append(keys, name)
	}
	return keys
}
