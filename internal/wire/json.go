package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
)

// maxDepth is how many objects and lists of an answer may be in one another.
const maxDepth = 64

// JSON reads one JSON object or list into what into points to. It does not
// accept what two readers could understand differently: null in its place, a
// key that an object has twice, in whatever letter case, and anything behind
// it. A null inside counts as missing. strict: nor any key that into has not.
func JSON(b []byte, into any, strict bool) error {
	if err := unambiguous(b); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		return unreadable(err)
	}
	return nil
}

// Repeats reports whether a string in the JSON, however it is escaped, has
// secret in it.
func Repeats(b []byte, secret string) bool {
	if bytes.Contains(b, []byte(secret)) {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return false // also what is no JSON: nothing of it is read
		}
		if text, ok := token.(string); ok && strings.Contains(text, secret) {
			return true
		}
	}
}

func unambiguous(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	first, err := d.Token()
	switch {
	case err != nil:
		return unreadable(err)
	case first != json.Delim('{') && first != json.Delim('['):
		return errors.New("the answer is neither a JSON object nor a list")
	}
	if err := walk(d, first, 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the JSON of the answer goes on after its end")
	}
	return nil
}

// walk reads to the end of the value that begins with token.
func walk(d *json.Decoder, token json.Token, depth int) error {
	if token != json.Delim('{') && token != json.Delim('[') {
		return nil
	}
	if depth > maxDepth {
		return fmt.Errorf("the JSON of the answer has more than %d values in one another", maxDepth)
	}
	keys := map[string]bool{}
	for d.More() {
		next, err := d.Token()
		if err != nil {
			return unreadable(err)
		}
		if token == json.Delim('{') {
			name, _ := next.(string) // a key is a string, or the decoder would have said so
			if folded := folded(name); keys[folded] {
				return fmt.Errorf(`the JSON of the answer has the key "%s" twice`, printable.Text(name))
			} else {
				keys[folded] = true
			}
			if next, err = d.Token(); err != nil {
				return unreadable(err)
			}
		}
		if err := walk(d, next, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return unreadable(err)
	}
	return nil
}

// folded is the same for all keys that encoding/json takes for one: for it, a
// long s is an s as well, and the sign for Kelvin a k.
func folded(key string) string { return strings.ToLower(strings.ToUpper(key)) }

func unreadable(err error) error {
	return fmt.Errorf("the answer is not the JSON that is known: %s", printable.Text(err.Error()))
}
