package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// stateFile keeps the world and the memory of the servers, both or neither.
const stateFile = "simulation.json"

const (
	stateFormat = "changeover simulation 1"
	maxState    = 512 << 20 // bytes that are loaded
)

type keptState struct {
	Format string          `json:"format"`
	Memory memory          `json:"memory"`
	World  json.RawMessage `json:"world"`
}

// load replaces the world by the one that is kept, if there is one.
func (s *Simulator) load() (kept bool, err error) {
	if s.dir == "" {
		return false, nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return false, err
	}
	f, err := os.Open(filepath.Join(s.dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return false, err
	}
	if len(b) > maxState {
		return false, fmt.Errorf("%s has more than %d bytes", stateFile, maxState)
	}
	var state keptState
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&state); err != nil {
		return false, fmt.Errorf("%s: %w", stateFile, err)
	}
	if state.Format != stateFormat {
		return false, fmt.Errorf("%s is not of the form %q", stateFile, stateFormat)
	}
	if err := s.world.Load(bytes.NewReader(state.World)); err != nil {
		return false, fmt.Errorf("%s: %w", stateFile, err)
	}
	s.memory = state.Memory
	for i := range s.memory.Pending {
		s.memory.Pending[i].Restarted = true
	}
	return true, nil
}

// keep saves what has changed, before anybody hears of it, and logs the
// effects. Somebody else may have changed the world too.
func (s *Simulator) keep() {
	if s.dir != "" {
		if err := s.save(); err != nil && s.err == nil {
			s.err = fmt.Errorf("simulator: the world was not kept: %w", err)
		}
	}
	s.report()
}

func (s *Simulator) save() error {
	var world bytes.Buffer
	if err := s.world.Save(&world); err != nil {
		return err
	}
	b, err := json.Marshal(keptState{stateFormat, s.memory, world.Bytes()})
	if err != nil || bytes.Equal(b, s.kept) {
		return err
	}
	if err := put(s.dir, stateFile, b); err != nil {
		return err
	}
	s.kept = b
	return nil
}
