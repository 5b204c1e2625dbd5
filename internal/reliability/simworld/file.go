package simworld

import (
	"encoding/binary"
	"hash/adler32"
	"strconv"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/license"
)

// content is what a license file says, and in which form.
type content struct {
	role   license.Role // whose code: Source, Target or Other
	serial license.SerialNumber
	word   license.IPP
	kind   string // license type
	ended  bool
	opaque bool
	salt   uint64 // files with different salts say the same in different bytes
}

// file returns the file with that content.
func (w *World) file(c content) license.File {
	if f, ok := w.files[c]; ok {
		return f
	}
	f := c.write()
	w.files[c], w.known[f.Digest()] = f, c
	return f
}

func code(role license.Role) license.ActivationCode {
	switch role {
	case license.Source:
		return scene.Code(scene.Source)
	case license.Target:
		return scene.Code(scene.Target)
	case license.Other:
		return scene.Code(scene.Third)
	}
	return license.ActivationCode{}
}

// The days on which licenses end.
func endOf(ended bool) time.Time {
	if ended {
		return time.Date(2020, time.June, 30, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(2040, time.December, 31, 0, 0, 0, 0, time.UTC)
}

// write makes the bytes, of the structure that package license reads: XML in a
// zlib stream, not compressed, so that it is quickly written and read.
func (c content) write() license.File {
	text := `<License Signature="simulated ` + strconv.FormatUint(c.salt, 36) + `" UID="` + code(c.role).Reveal() + `" Term="` + endOf(c.ended).Format(time.DateOnly) +
		`" Type="` + c.kind + `" Serial="` + string(c.serial) + `"><Features><Feature Id="IPP" Name="Intellectual Property" Limit="` + string(c.word) + `"/></Features></License>`
	out := make([]byte, 0, len(text)+64)
	if c.opaque {
		out = append(out, "a form that nobody knows\n"...)
	}
	out = append(out, 0x78, 0x01, 0x01) // zlib; one block, stored
	out = binary.LittleEndian.AppendUint16(out, uint16(len(text)))
	out = binary.LittleEndian.AppendUint16(out, ^uint16(len(text)))
	out = append(out, text...)
	out = binary.BigEndian.AppendUint32(out, adler32.Checksum([]byte(text)))
	f, err := license.NewFile(out)
	if err != nil {
		return license.File{}
	}
	return f
}

// torn returns the first half of a file.
func torn(f license.File) license.File {
	t, err := license.NewFile(f.Bytes()[:f.Size()/2])
	if err != nil {
		return license.File{}
	}
	return t
}
