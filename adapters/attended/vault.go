package attended

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/manual"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A record is what the person keeps of a backup, as one line of JSON.
type record struct {
	Environment string               `json:"environment"`
	Serial      license.SerialNumber `json:"serial"`
	Role        license.Role         `json:"role"`
	Origin      string               `json:"origin"`
	Digest      license.Digest       `json:"digest"`
	Generation  int                  `json:"generation"`
	At          time.Time            `json:"at"`
}

func (r record) label() adapters.Label {
	return adapters.Label{Environment: r.Environment, Serial: r.Serial, Role: r.Role, Origin: r.Origin}
}

func (r record) stored(copies int) adapters.Stored {
	return adapters.Stored{Label: r.label(), Digest: r.Digest, Generation: r.Generation, Copies: copies, At: r.At}
}

func (r record) encode() ([]byte, error) { return json.Marshal(r) }

// recordLine takes a record line, exactly as it was printed.
func recordLine(into *record) func(string) error {
	return func(answer string) error {
		dec := json.NewDecoder(strings.NewReader(answer))
		dec.DisallowUnknownFields()
		var r record
		if dec.Decode(&r) != nil {
			return errors.New("it is not a record line")
		}
		if again, err := r.encode(); err != nil || string(again) != answer || r.Generation < 1 {
			return errors.New("it is not a record line as it was printed")
		}
		*into = r
		return nil
	}
}

// maxBackups is how many generations a person is asked to count.
const maxBackups = 999_999

// Put implements [adapters.BackupVault]: the file is laid out in Options.Dir,
// the person copies it to storage of their own, and each copy is read back
// from the path that the person gives. That a stored file is not stored again
// depends on the person, who is asked for its record line.
func (d *Desk) Put(ctx context.Context, label adapters.Label, file license.File) (adapters.Stored, error) {
	var stored adapters.Stored
	what := fmt.Sprintf("%s license of %s, from: %s", printable.Text(string(label.Role)), printable.Text(label.Environment), printable.Text(label.Origin))
	err := d.call(ctx, "store a backup: "+what, func() error {
		r := record{Environment: label.Environment, Serial: label.Serial, Role: label.Role, Origin: label.Origin, Digest: file.Digest(), At: d.opts.Now().UTC().Round(0)}
		if text := r.Environment + string(r.Serial) + string(r.Role) + r.Origin; printable.Whole(text) != text || len(text) > maxLineBytes/8 {
			return errors.New("the label is too long for a record line, or contains characters that cannot be shown")
		}
		path, err := d.handOver(environment.Environment{Name: label.Environment}, file)
		if err != nil {
			return err
		}
		if err := d.steps(
			"The file is "+printable.Whole(path)+", SHA-256 "+string(file.Digest())+", for the serial number "+serialOf(label.Serial)+".",
			manual.KeepFile,
		); err != nil {
			return err
		}
		if err := d.read(ctx, "How many backups for this serial number were there before? If this very file is one of them, paste its record line. (no: it could not be stored)",
			r.number); err != nil {
			return err
		}
		_, original, err := load(path)
		if err != nil {
			return err
		}
		copies, err := d.copies(ctx, r, 1, original)
		if err != nil {
			return err
		}
		line, err := r.encode()
		if err != nil {
			return err
		}
		if err := d.print("Keep this record line with the copies:\n" + string(line) + "\n"); err != nil {
			return err
		}
		stored = r.stored(copies)
		d.testify(ctx, "stored as generation %d, copies read back: %d, %s, %v", r.Generation, copies, what, file)
		return nil
	})
	if err != nil {
		return adapters.Stored{}, err
	}
	return stored, nil
}

// number takes the number of backups that were there before, or the record
// line of this one.
func (r *record) number(answer string) error {
	if strings.HasPrefix(answer, "{") {
		var found record
		if err := recordLine(&found)(answer); err != nil {
			return err
		}
		if found.label() != r.label() || found.Digest != r.Digest {
			return errors.New("it is the record line of another backup")
		}
		*r = found
		return nil
	}
	n, err := strconv.Atoi(answer)
	if err != nil || n < 0 || n >= maxBackups {
		return errors.New("it is neither a number nor a record line")
	}
	r.Generation = n + 1
	return nil
}

// copies asks for copies of a backup until there are no more, and counts those
// that are whole, at least least; a file does not count twice, and not if it
// is one of others.
func (d *Desk) copies(ctx context.Context, r record, least int, others ...fs.FileInfo) (int, error) {
	whole := 0
	for end := false; !end; {
		err := d.ask(ctx, fmt.Sprintf("Path of copy %d of generation %d (end: there is none)", whole+1, r.Generation), func(answer string) error {
			if end = strings.EqualFold(answer, "end"); end {
				if whole < least {
					end = false
					return fmt.Errorf("at least %d must be read back", least)
				}
				return nil
			}
			file, info, err := load(answer)
			switch {
			case err != nil:
				return err
			case file.Digest() != r.Digest:
				return errors.New("that file is damaged or another one: it has another SHA-256")
			case slices.ContainsFunc(others, func(other fs.FileInfo) bool { return os.SameFile(info, other) }):
				return errors.New("that is no further copy but the same file")
			}
			others = append(others, info)
			whole++
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return whole, nil
}

// Get implements [adapters.BackupVault].
func (d *Desk) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	var file license.File
	err := d.call(ctx, "read a backup for serial number "+serialOf(serial), func() error {
		var answer string
		if err := d.read(ctx, "Path of a copy with the SHA-256 "+printable.Text(string(digest))+
			" (none: there is no such backup; damaged: no copy is whole; no: it cannot be reached)", func(text string) error {
			if oneOf(&answer, "none", "damaged")(text) == nil {
				return nil
			}
			found, _, err := load(text)
			if err != nil {
				return err
			}
			if found.Digest() != digest {
				return errors.New("that file is damaged or another one: it has another SHA-256")
			}
			file = found
			return nil
		}); err != nil {
			return err
		}
		switch answer {
		case "none":
			d.testify(ctx, "there is no backup %s", printable.Text(digest.Short()))
			return adapters.ErrBackupNotFound
		case "damaged":
			d.testify(ctx, "no copy of backup %s is whole", printable.Text(digest.Short()))
			return adapters.ErrBackupDamaged
		}
		d.testify(ctx, "read back: %v", file)
		return nil
	})
	if err != nil {
		return license.File{}, err
	}
	return file, nil
}

// List implements [adapters.BackupVault]: the person pastes the record lines
// and names the copies that are there.
func (d *Desk) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	var records []adapters.Stored
	err := d.call(ctx, "list the backups for serial number "+serialOf(serial), func() error {
		generation := 0
		for {
			var r record
			end := false
			if err := d.read(ctx, "Next record line, oldest first (end: there is none; no: they cannot be reached)", func(answer string) error {
				if end = strings.EqualFold(answer, "end"); end {
					return nil
				}
				if err := recordLine(&r)(answer); err != nil {
					return err
				}
				if r.Serial != serial {
					return errors.New("it is for another serial number")
				}
				if r.Generation <= generation {
					return errors.New("its generation is not higher than that of the line before")
				}
				return nil
			}); err != nil {
				return err
			}
			if end {
				return nil
			}
			generation = r.Generation
			copies, err := d.copies(ctx, r, 0)
			if err != nil {
				return err
			}
			records = append(records, r.stored(copies))
			d.testify(ctx, "generation %d, copies read back: %d", r.Generation, copies)
		}
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}
