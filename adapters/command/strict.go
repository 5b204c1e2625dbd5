package command

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// maxMessage is how many bytes a request or an answer may have
// (reliability.md D). The largest license file, in base64, fits.
const maxMessage = 8 << 20

// read reads one JSON object with exactly the fields of all the structs that
// into points to. It is strict, since an answer that is misread costs somebody
// their license: it refuses keys that are unknown, repeated or spelled in
// another case, keys that are missing, null, other types, text that is not
// UTF-8, and anything behind the object.
func read(text []byte, into ...any) error {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("it is empty")
	case len(text) > maxMessage:
		return fmt.Errorf("it has more than %d bytes", maxMessage)
	case !utf8.Valid(text):
		return errors.New("it is not UTF-8")
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return errors.New("it begins with a byte order mark")
	case !json.Valid(text):
		return errors.New("it is not one JSON text")
	}
	var types []reflect.Type
	for _, v := range into {
		types = append(types, reflect.TypeOf(v).Elem())
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := object(dec, "", types...); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something stands behind it")
	}
	for _, v := range into {
		if json.Unmarshal(text, v) != nil { // its error would repeat the value
			return errors.New("a value in it is not what the schema says")
		}
	}
	return nil
}

// A field is a field of the schema.
type field struct {
	name     string
	doc      string
	optional bool
	of       reflect.Type
}

// fields returns the fields of structs of the schema, in order.
func fields(structs ...reflect.Type) []field {
	var list []field
	for _, s := range structs {
		for i := range s.NumField() {
			f := s.Field(i)
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			list = append(list, field{name, f.Tag.Get("doc"), option != "", f.Type})
		}
	}
	return list
}

// value reads one value, which must be of type t.
func value(dec *json.Decoder, path string, t reflect.Type) error {
	switch {
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]():
		return object(dec, path, t)
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return list(dec, path, t.Elem())
	}
	token, err := dec.Token()
	if err != nil {
		return errors.New("it ends too early")
	}
	var fits bool
	switch token := token.(type) {
	case bool:
		fits = t.Kind() == reflect.Bool
	case json.Number:
		fits = t.Kind() == reflect.Int
	case string:
		switch {
		case t == reflect.TypeFor[time.Time]():
			_, err := time.Parse(time.RFC3339, token)
			fits = err == nil
		case t.Kind() == reflect.Slice:
			fits = true // base64, which is decoded once
		case strings.ContainsRune(token, utf8.RuneError):
			return fmt.Errorf("%s has a character that was lost", path)
		default:
			fits = t.Kind() == reflect.String
		}
	}
	if !fits {
		return fmt.Errorf("%s is not %s", path, typeName(t))
	}
	return nil
}

// object reads an object with the fields of the structs.
func object(dec *json.Decoder, path string, structs ...reflect.Type) error {
	if path != "" {
		path += "."
	}
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("%s is not an object", cmp.Or(strings.TrimSuffix(path, "."), "it"))
	}
	known := fields(structs...)
	seen := make([]bool, len(known))
	for dec.More() {
		token, err := dec.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return errors.New("it ends too early")
		}
		at := -1
		for i, f := range known {
			if f.name == key {
				at = i
			} else if at < 0 && strings.EqualFold(f.name, key) {
				return fmt.Errorf("%s%s is spelled in another case", path, f.name)
			}
		}
		if at < 0 {
			return fmt.Errorf("%s%s is not in the schema", path, key)
		}
		if seen[at] {
			return fmt.Errorf("%s%s stands there twice", path, key)
		}
		seen[at] = true
		if err := value(dec, path+key, known[at].of); err != nil {
			return err
		}
	}
	_, _ = dec.Token() // the brace: the text is known to be JSON
	for i, f := range known {
		if !seen[i] && !f.optional {
			return fmt.Errorf("%s%s is missing", path, f.name)
		}
	}
	return nil
}

// list reads an array of values of type t.
func list(dec *json.Decoder, path string, t reflect.Type) error {
	if token, err := dec.Token(); err != nil || token != json.Delim('[') {
		return fmt.Errorf("%s is not a list", path)
	}
	for n := 0; dec.More(); n++ {
		if err := value(dec, fmt.Sprintf("%s[%d]", path, n), t); err != nil {
			return err
		}
	}
	_, _ = dec.Token() // the bracket
	return nil
}

// typeName says what a value of the schema is in JSON.
func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "a time (RFC 3339)"
	case t.Kind() == reflect.Struct:
		return "an object"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "base64"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "an integer"
	}
	return "a string"
}
