package license

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Refusals of [Inspect], besides [ErrTooLarge].
var (
	// ErrOpaque is answered for a file whose structure is not the observed
	// one. Such a file may be perfectly good; its identity has to be attested
	// by a person.
	ErrOpaque = errors.New("the license file cannot be inspected")
	// ErrTruncated is answered for a file that ends too early or does not have
	// its checksum. Nobody should install it; fetch it again.
	ErrTruncated = errors.New("the license file was not downloaded whole, or was damaged on the way")
	// ErrTrailing is answered for a file that goes on after its end. Something
	// has been added to it; fetch it again.
	ErrTrailing = errors.New("the license file goes on after its end")
)

// What a license file may hold. The one that was observed holds 56 features,
// nests five deep, and its longest text is a signature of 172 characters.
const (
	maxInflatedBytes = 16 << 20
	maxDepth         = 32
	maxElements      = 10_000
	maxAttributes    = 64       // of one element
	maxTokenBytes    = 64 << 10 // a tag with its attributes, or a text
)

// Details are what a license file says of itself. The texts are kept as the
// file has them; they come from outside.
type Details struct {
	Code         ActivationCode
	Serial       SerialNumber
	Organization string
	Type         string // for example "Production" or "Trial"
	Edition      string
	Created      time.Time // zero if absent, or not a date
	Ends         time.Time // zero if absent: the license does not end
	Features     []Feature // in the order of the file
}

// Inspect reads what a license file says of itself.
//
// It is unofficial. The format is not documented; Inspect reads the structure
// of the one public license file (facts.md 4): a zlib stream of XML whose
// attribute UID is taken for the activation code and Term for the end date,
// from their forms. It verifies no signature: a file that it reads may still
// be turned down by Service Center, and a forged one passes. It serves to
// notice that a file is for another server or of the other activation code
// before it is installed, not to decide what is licensed.
//
// A file of another structure, or without an activation code, a serial number
// or a legible end date, gives [ErrOpaque]. That is no verdict on the file.
// Any other error is one: the file is incomplete or damaged ([ErrTruncated]),
// goes on after its end ([ErrTrailing]), holds more than a license can
// ([ErrTooLarge]), or is no file at all ([ErrEmpty]). No error repeats
// anything of the file. Dates without a zone are read as UTC; "Never" and the
// platform's null date, 1 January 1900, mean that there is no end date.
func Inspect(f File) (Details, error) {
	if f.IsZero() {
		return Details{}, ErrEmpty
	}
	if f.IsReference() {
		return (*f.elsewhere).details, (*f.elsewhere).refused
	}
	text, err := inflate(*f.content)
	if err != nil {
		return Details{}, err
	}
	root, features, err := parse(text)
	if err != nil {
		return Details{}, err
	}
	return identify(root, features)
}

// inflate returns the content of a zlib stream that is whole and is all there
// is.
func inflate(b string) ([]byte, error) {
	in := strings.NewReader(b)
	z, err := zlib.NewReader(in)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%w: it ends after %d bytes", ErrTruncated, len(b))
	case err != nil:
		return nil, fmt.Errorf("%w: it is not a zlib stream", ErrOpaque)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxInflatedBytes+1))
	switch {
	case len(text) > maxInflatedBytes:
		return nil, fmt.Errorf("%w: it inflates to more than %d bytes", ErrTooLarge, maxInflatedBytes)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%w: it ends after %d bytes, in the middle", ErrTruncated, len(b))
	case err != nil:
		return nil, fmt.Errorf("%w: its checksum or compression is wrong", ErrTruncated)
	case in.Len() > 0: // the decompressor reads no byte too many from an io.ByteReader
		return nil, fmt.Errorf("%w: by %d bytes", ErrTrailing, in.Len())
	}
	return text, nil
}

// parse returns the attributes of the root element and the features. Errors
// of the XML decoder are not wrapped, since they repeat names from the file.
func parse(text []byte) (root []xml.Attr, features []Feature, err error) {
	// Writers on Windows begin UTF-8 with a byte order mark.
	src := &leash{Reader: bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))}
	dec := xml.NewDecoder(src)
	var path []string
	elements := 0
	for {
		src.left = maxTokenBytes
		token, err := dec.Token()
		switch {
		case err == io.EOF && elements > 0:
			return root, features, nil
		case errors.Is(err, errLongToken):
			return nil, nil, fmt.Errorf("%w: one tag or text has more than %d bytes", ErrTooLarge, maxTokenBytes)
		case err != nil:
			return nil, nil, fmt.Errorf("%w: its content is not well-formed XML in UTF-8", ErrOpaque)
		}
		switch t := token.(type) {
		case xml.StartElement:
			name := t.Name.Local
			if t.Name.Space != "" {
				name = "" // of another vocabulary
			}
			switch elements++; {
			case len(path) == 0 && elements > 1:
				return nil, nil, fmt.Errorf("%w: its XML has several roots", ErrOpaque)
			case len(path) == 0 && name != "License":
				return nil, nil, fmt.Errorf("%w: the root of its XML is not License", ErrOpaque)
			case elements > maxElements:
				return nil, nil, fmt.Errorf("%w: it has more than %d elements", ErrTooLarge, maxElements)
			case len(path) == maxDepth:
				return nil, nil, fmt.Errorf("%w: its elements nest more than %d deep", ErrTooLarge, maxDepth)
			case len(t.Attr) > maxAttributes:
				return nil, nil, fmt.Errorf("%w: an element has more than %d attributes", ErrTooLarge, maxAttributes)
			case repeats(t.Attr):
				return nil, nil, fmt.Errorf("%w: an element of its XML has the same attribute twice", ErrOpaque)
			}
			path = append(path, name)
			switch strings.Join(path, "/") {
			case "License":
				root = t.Attr
			case "License/Features/Feature":
				features = append(features, Feature{ID: attr(t.Attr, "Id"), Name: attr(t.Attr, "Name"), Limit: attr(t.Attr, "Limit")})
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) == 0 && len(bytes.TrimSpace(t)) > 0 {
				return nil, nil, fmt.Errorf("%w: its XML has text outside the root", ErrOpaque)
			}
		case xml.Directive: // <!DOCTYPE>: no entity is ever defined or fetched
			return nil, nil, fmt.Errorf("%w: its XML has a document type declaration", ErrOpaque)
		}
	}
}

// identify makes Details of the root's attributes. What the identity rests on
// has to be there and make sense.
func identify(root []xml.Attr, features []Feature) (Details, error) {
	d := Details{
		Organization: attr(root, "Organization"), Type: attr(root, "Type"), Edition: attr(root, "Edition"),
		Features: features,
	}
	var errCode, errSerial, errEnds error
	if d.Code, errCode = ParseActivationCode(attr(root, "UID")); errCode != nil {
		errCode = fmt.Errorf("attribute UID: %w", errCode)
	}
	if d.Serial, errSerial = ParseSerialNumber(attr(root, "Serial")); errSerial != nil {
		errSerial = fmt.Errorf("attribute Serial: %w", errSerial)
	}
	term := attr(root, "Term")
	var ok bool
	if d.Ends, ok = parseDate(term); !ok && term != "" && !strings.EqualFold(term, "never") {
		errEnds = errors.New("attribute Term: not a date")
	}
	if d.Ends.Equal(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)) {
		d.Ends = time.Time{}
	}
	d.Created, _ = parseDate(attr(root, "Creation"))
	if err := errors.Join(errCode, errSerial, errEnds); err != nil {
		return Details{}, fmt.Errorf("%w: %s", ErrOpaque, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return d, nil
}

// IPP returns the word of the feature Intellectual Property. It is empty if
// the license does not have that feature, or has it with different words.
func (d Details) IPP() IPP {
	var word IPP
	seen := false
	for _, f := range d.Features {
		if !f.isIPP() {
			continue
		}
		if seen && IPP(f.Limit) != word {
			return ""
		}
		word, seen = IPP(f.Limit), true
	}
	return word
}

// Trial reports whether the license says that it is a trial license.
func (d Details) Trial() bool { return strings.EqualFold(strings.TrimSpace(d.Type), "Trial") }

// isIPP reports whether f is the feature Intellectual Property, by its ID or
// by the name that the licensing page shows.
func (f Feature) isIPP() bool {
	return f.ID == "IPP" || strings.EqualFold(f.Name, "Intellectual Property")
}

// leash ends a reader after left bytes, so that one token cannot use up the
// memory. The XML decoder takes single bytes from an io.ByteReader, and no
// more than it needs.
type leash struct {
	*bytes.Reader
	left int
}

var errLongToken = errors.New("long token")

func (l *leash) ReadByte() (byte, error) {
	if l.left == 0 {
		return 0, errLongToken
	}
	l.left--
	return l.Reader.ReadByte()
}

// attr returns the value of an attribute without a namespace; empty if it is
// absent.
func attr(attrs []xml.Attr, name string) string {
	for _, a := range attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// repeats reports whether an attribute occurs twice, which XML forbids and the
// decoder accepts.
func repeats(attrs []xml.Attr) bool {
	for i, a := range attrs {
		for _, b := range attrs[:i] {
			if a.Name == b.Name {
				return true
			}
		}
	}
	return false
}

// parseDate reads a date, or a date and time, in the forms of ISO 8601 that
// the platform writes.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
