package fake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/changeover-go/changeover/license"
)

// plainCode is an activation code that is saved in the clear. Printing masks it
// all the same.
type plainCode struct{ license.ActivationCode }

// MarshalText gives the code itself.
func (c plainCode) MarshalText() ([]byte, error) { return []byte(c.Reveal()), nil }

// UnmarshalText takes the code itself.
func (c *plainCode) UnmarshalText(text []byte) (err error) {
	c.ActivationCode = license.ActivationCode{}
	if len(text) > 0 {
		c.ActivationCode, err = license.ParseActivationCode(string(text))
	}
	return err
}

// plainFile is a license file that is saved with its bytes. Printing does not
// show them.
type plainFile struct {
	license.File

	said *license.Details // what read has found in it; nil: not read, or nothing
}

// read says what the file holds, and remembers it.
func (f *plainFile) read() (license.Details, bool) {
	if f.said == nil {
		d, ok := read(f.File)
		if !ok {
			return license.Details{}, false
		}
		f.said = &d
	}
	return *f.said, true
}

// MarshalJSON gives the bytes, in base64.
func (f plainFile) MarshalJSON() ([]byte, error) { return json.Marshal(f.Bytes()) }

// UnmarshalJSON takes the bytes, in base64.
func (f *plainFile) UnmarshalJSON(text []byte) (err error) {
	var b []byte
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	*f = plainFile{}
	if len(b) > 0 {
		f.File, err = license.NewFile(b)
	}
	return err
}

// saved is what [World.Save] writes.
type saved struct {
	Format string `json:"format"`
	World  *state `json:"world"`
}

const (
	format   = "changeover simulated world 1"
	maxSaved = 256 << 20 // bytes that Load accepts
)

// Save writes the world as JSON, for [World.Load]: all of it but its clock, its
// calls, its questions and who answers them. The activation codes and license
// files are written in the clear: this is for simulation data only.
func (w *World) Save(out io.Writer) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := json.MarshalIndent(saved{format, &w.s}, "", "\t")
	if err != nil {
		return fmt.Errorf("saving the simulated world: %w", err)
	}
	if _, err := out.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("saving the simulated world: %w", err)
	}
	return nil
}

// Load replaces the world by one that [World.Save] wrote; its calls and
// questions begin anew. After an error the world is as it was.
func (w *World) Load(in io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(in, maxSaved+1))
	switch {
	case err != nil:
		return fmt.Errorf("loading the simulated world: %w", err)
	case len(b) > maxSaved:
		return fmt.Errorf("loading the simulated world: it has more than %d bytes", maxSaved)
	}
	var from saved
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&from); err != nil {
		return fmt.Errorf("loading the simulated world: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("loading the simulated world: something follows it")
	}
	if from.Format != format || from.World == nil {
		return fmt.Errorf("loading the simulated world: it is not of the form %q", format)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.s, w.calls, w.asked, w.misuses = *from.World, nil, nil, nil
	return nil
}
