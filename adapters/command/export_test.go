package command

import (
	"errors"
	"reflect"
	"time"
)

// SetPatience sets how long the output of a program that has ended is waited
// for.
func (p *Program) SetPatience(d time.Duration) { p.patience = d }

// What the tests look into.
const (
	MaxMessage = maxMessage
	MaxLines   = maxLines
	LeftOut    = leftOut
)

// Bare is bare.
func Bare(s string) string { return bare(s) }

// ExitCode is exitCode.
func ExitCode(err error) int { return exitCode(err) }

// ReadRequest reads the request of a method.
func ReadRequest(method string, text []byte) error {
	for _, m := range methods() {
		if _, name := m.names(); name == method {
			q, _ := m.types()
			return read(text, new(requestHead), reflect.New(q).Interface())
		}
	}
	return errors.New("there is no such method")
}

// ReadAnswer reads the answer of a method.
func ReadAnswer(method string, text []byte) error {
	for _, m := range methods() {
		if _, name := m.names(); name == method {
			_, a := m.types()
			return read(text, new(answerHead), reflect.New(a).Interface())
		}
	}
	return errors.New("there is no such method")
}

// A Message is a request or an answer of the schema.
type Message struct {
	Port, Method string
	Request      []Field
	Answer       []Field
}

// A Field is one line of the schema; Name is its path.
type Field struct {
	Name, Type, Doc string
	Optional        bool
}

// Heads returns the fields that every request and every answer has.
func Heads() (request, answer []Field) {
	return flat("", reflect.TypeFor[requestHead]()), flat("", reflect.TypeFor[answerHead]())
}

// Schema returns the schema.
func Schema() []Message {
	var all []Message
	for _, m := range methods() {
		port, name := m.names()
		q, a := m.types()
		all = append(all, Message{port, name, flat("", q), flat("", a)})
	}
	return all
}

// flat lists the fields of a struct, those of its fields included.
func flat(path string, t reflect.Type) []Field {
	var list []Field
	for _, f := range fields(t) {
		list = append(list, Field{path + f.name, typeName(f.of), f.doc, f.optional})
		switch name := typeName(f.of); {
		case name == "an object":
			list = append(list, flat(path+f.name+".", f.of)...)
		case name == "a list" && typeName(f.of.Elem()) == "an object":
			list = append(list, flat(path+f.name+"[].", f.of.Elem())...)
		case name == "a list":
			list[len(list)-1].Type = "a list of strings"
		}
	}
	return list
}
