package filevault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/license"
)

// ErrManifest is wrapped when the manifest of a backup is not as it was
// written. The bytes beside it are still served by [Vault.Get].
var ErrManifest = errors.New("the manifest of a backup is damaged")

const (
	manifestVersion  = 1
	maxManifestBytes = 32 << 10
	maxLabelBytes    = 1 << 10 // of each part of a label; escaped, all of them fit into a manifest
	maxGeneration    = 999_999
)

// A manifest is the record of a backup as it is stored. Its fields are in the
// order in which they stand in the file.
type manifest struct {
	Version     int                  `json:"version"`
	Generation  int                  `json:"generation"`
	Environment string               `json:"environment"`
	Serial      license.SerialNumber `json:"serial"`
	Role        license.Role         `json:"role"`
	Origin      string               `json:"origin"`
	Digest      license.Digest       `json:"digest"`
	Size        int                  `json:"size"`
	At          time.Time            `json:"at"`
	Sum         string               `json:"sum"` // SHA-256 of the manifest with an empty Sum
}

// newManifest describes the generation after last, once its number is raised.
func newManifest(label adapters.Label, file license.File, last int, at time.Time) manifest {
	return manifest{
		Version: manifestVersion, Generation: last,
		Environment: label.Environment, Serial: label.Serial, Role: label.Role, Origin: label.Origin,
		Digest: file.Digest(), Size: file.Size(), At: at.UTC().Round(0),
	}
}

func (m manifest) label() adapters.Label {
	return adapters.Label{Environment: m.Environment, Serial: m.Serial, Role: m.Role, Origin: m.Origin}
}

func (m manifest) stored(copies int) adapters.Stored {
	return adapters.Stored{Label: m.label(), Digest: m.Digest, Generation: m.Generation, Copies: copies, At: m.At}
}

func (m manifest) name() name {
	return name{serial: hashSerial(m.Serial), generation: m.Generation, digest: m.Digest}
}

// encode returns the one way of writing the manifest.
func (m manifest) encode() string {
	m.Sum = ""
	sum := sha256.Sum256([]byte(m.line()))
	m.Sum = hex.EncodeToString(sum[:])
	return m.line()
}

// line writes the manifest in JSON. What a terminal would not show as a
// character is escaped, so that a person can read the file with less.
func (m manifest) line() string {
	b, err := json.Marshal(m)
	if err != nil { // only a time beyond the year 9999
		return ""
	}
	var line strings.Builder
	for _, r := range string(b) {
		if unicode.IsPrint(r) {
			line.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&line, `\u%04x`, unit)
		}
	}
	line.WriteByte('\n')
	return line.String()
}

// decodeManifest reads what encode has written, and nothing else.
func decodeManifest(b []byte) (manifest, error) {
	var m manifest
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		// The cause is not repeated: it may quote what the file contains.
		return manifest{}, errors.New("it is not a manifest in JSON")
	}
	if m.Version != manifestVersion {
		return manifest{}, fmt.Errorf("it is of version %d; this program reads version %d", m.Version, manifestVersion)
	}
	if m.encode() != string(b) {
		return manifest{}, errors.New("it was changed after it was written")
	}
	return m, nil
}

// checkLabel refuses a label that would not come back as it went in.
func checkLabel(label adapters.Label) error {
	_, err := license.ParseSerialNumber(string(label.Serial))
	errs := []error{err}
	for _, part := range []struct{ what, text string }{
		{"environment", label.Environment}, {"role", string(label.Role)}, {"origin", label.Origin},
	} {
		if len(part.text) > maxLabelBytes {
			errs = append(errs, fmt.Errorf("the label's %s has %d bytes, at most %d are accepted", part.what, len(part.text), maxLabelBytes))
		}
		if !utf8.ValidString(part.text) {
			errs = append(errs, fmt.Errorf("the label's %s is not valid UTF-8", part.what))
		}
	}
	return errors.Join(errs...)
}

// A name is the name of a file in a vault.
type name struct {
	serial     string // beginning of the hash of the serial number
	generation int
	digest     license.Digest
	kind       string
}

const (
	kindBytes    = ".lic"
	kindManifest = ".json"
	serialDigits = 32
)

func hashSerial(serial license.SerialNumber) string {
	sum := sha256.Sum256([]byte("changeover serial number\x00" + string(serial)))
	return hex.EncodeToString(sum[:])[:serialDigits]
}

func (n name) base() string     { return fmt.Sprintf("%s-%06d-%s", n.serial, n.generation, n.digest) }
func (n name) bytes() string    { return n.base() + kindBytes }
func (n name) manifest() string { return n.base() + kindManifest }

// parseName takes apart what [name] puts together; ok is false for every other
// text.
func parseName(s string) (n name, ok bool) {
	parts := strings.SplitN(s, "-", 3)
	if len(parts) != 3 {
		return name{}, false
	}
	digest, ext, _ := strings.Cut(parts[2], ".")
	generation, err := strconv.Atoi(parts[1])
	n = name{serial: parts[0], generation: generation, digest: license.Digest(digest), kind: "." + ext}
	ok = err == nil && generation > 0 && generation <= maxGeneration && isHex(n.serial, serialDigits) && isHex(digest, 2*sha256.Size) &&
		(n.kind == kindBytes || n.kind == kindManifest) && n.base()+n.kind == s
	return n, ok
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}
