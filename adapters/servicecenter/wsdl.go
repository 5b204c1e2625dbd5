package servicecenter

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

const (
	wsdlSpace   = "http://schemas.xmlsoap.org/wsdl/"
	soapSpace   = "http://schemas.xmlsoap.org/wsdl/soap/" // of SOAP 1.1
	schemaSpace = "http://www.w3.org/2001/XMLSchema"
)

// A signature says what is publicly known of an operation: its name, and the
// order and nature of what goes in and out (facts.md 3.4).
type signature struct {
	name            string
	params, results []nature
}

// maxPlaces is how many parameters or results are looked at one by one; no
// signature has as many.
const maxPlaces = 16

// A nature is what kind of value stands in a place.
type nature string

const (
	text    nature = "text"
	number  nature = "number"
	boolean nature = "boolean"
	list    nature = "list"
)

// A description is what a server says of one of its web services.
type description struct {
	root  *node
	types []*node // schemas
}

// describe asks the server for a description.
func (s session) describe(ctx context.Context, page string) (description, error) {
	answer, err := s.do(ctx, wire.Request{Method: http.MethodGet, URL: s.at(page, "WSDL")})
	if err != nil {
		return description{}, fmt.Errorf("the service description: %w", err)
	}
	failed := func(err error) (description, error) {
		return description{}, fmt.Errorf("the service description: %s answers %s: %s", printable.Text(s.base.Host), status(answer.Status), s.veil.text(err.Error()))
	}
	if answer.Status != http.StatusOK {
		return failed(errors.New("not a description"))
	}
	b, err := answer.Text("text/xml", "application/xml")
	if err != nil {
		return failed(err)
	}
	d, err := parseDescription(b)
	if err != nil {
		return failed(err)
	}
	return d, nil
}

func parseDescription(b []byte) (description, error) {
	root, err := parseXML(b)
	if err != nil {
		return description{}, err
	}
	if root.name != (xml.Name{Space: wsdlSpace, Local: "definitions"}) {
		return description{}, fmt.Errorf("it is no WSDL but the element %s", root.name.Local)
	}
	d := description{root: root}
	for _, types := range d.parts("types") {
		d.types = append(d.types, types.all(xml.Name{Space: schemaSpace, Local: "schema"})...)
	}
	return d, nil
}

// find returns the operations, in the order of the signatures. Its error wraps
// ErrUnsupported and says everything that differs, in the server's words, not
// cut short: the caller veils them.
func (d description) find(signatures []signature) ([]operation, error) {
	var found []operation
	var errs []error
	for _, s := range signatures {
		op, err := d.operation(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
		found = append(found, op)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("the server's description of its services is not the known one: %s: %w",
			strings.ReplaceAll(err.Error(), "\n", "; "), adapters.ErrUnsupported)
	}
	return found, nil
}

// operation finds one operation by way of its binding, port type and messages.
func (d description) operation(s signature) (operation, error) {
	op := operation{name: s.name}
	binding, bound := d.binding(s.name)
	if bound == nil {
		return op, errors.New("no such operation over SOAP 1.1")
	}
	for _, style := range []string{first(binding.all(soap("binding"))).attr("style"), first(bound.all(soap("operation"))).attr("style")} {
		if style != "" && style != "document" {
			return op, fmt.Errorf("its style is %s, not document", printable.Whole(style))
		}
	}
	for _, way := range []string{"input", "output"} {
		if use := first(first(bound.all(wsdl(way))).all(soap("body"))).attr("use"); use != "literal" {
			return op, fmt.Errorf("its %s is used as \"%s\", not literal", way, printable.Whole(use))
		}
	}
	op.action = first(bound.all(soap("operation"))).attr("soapAction")
	if strings.ContainsFunc(op.action, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
		return op, fmt.Errorf("its SOAPAction %s cannot stand in a header", printable.Whole(op.action))
	}
	ports := named(d.parts("portType"), binding.qname(binding.attr("type")).Local)
	port := named(first(ports).all(wsdl("operation")), s.name)
	if len(port) != 1 {
		return op, errors.New("its port type does not have it once")
	}
	var errs [2]error
	op.input, op.params, errs[0] = d.sequence(first(port[0].all(wsdl("input"))), "parameters", s.params)
	op.output, op.results, errs[1] = d.sequence(first(port[0].all(wsdl("output"))), "results", s.results)
	return op, errors.Join(errs[:]...)
}

// binding returns the first SOAP 1.1 binding that has the operation, and what
// it says of it.
func (d description) binding(name string) (binding, operation *node) {
	for _, b := range d.parts("binding") {
		if bound := named(b.all(wsdl("operation")), name); len(bound) == 1 && len(b.all(soap("binding"))) == 1 {
			return b, bound[0]
		}
	}
	return nil, nil
}

// sequence returns the element of a message, and the names of what it holds.
func (d description) sequence(direction *node, what string, want []nature) (xml.Name, []xml.Name, error) {
	messages := named(d.parts("message"), direction.qname(direction.attr("message")).Local)
	parts := first(messages).all(wsdl("part"))
	if len(messages) != 1 || len(parts) != 1 || parts[0].attr("element") == "" {
		return xml.Name{}, nil, fmt.Errorf("the message of its %s is not one element", what)
	}
	root := parts[0].qname(parts[0].attr("element"))
	var declared []*node
	var schema *node
	for _, s := range d.types {
		if s.attr("targetNamespace") == root.Space {
			if found := named(s.all(xsd("element")), root.Local); len(found) > 0 {
				declared, schema = append(declared, found...), s
			}
		}
	}
	if len(declared) != 1 {
		return xml.Name{}, nil, fmt.Errorf("the element %s of its %s is not declared once", printable.Whole(root.Local), what)
	}
	var names []xml.Name
	var natures []nature
	items := first(first(declared[0].all(xsd("complexType"))).all(xsd("sequence"))).all(xsd("element"))
	if len(items) > maxPlaces {
		return xml.Name{}, nil, fmt.Errorf("its %s are %d, not (%s)", what, len(items), joined(want))
	}
	for _, item := range items {
		name := xml.Name{Local: item.attr("name")}
		if schema.attr("elementFormDefault") == "qualified" {
			name.Space = root.Space
		}
		names, natures = append(names, name), append(natures, d.natureOf(item))
	}
	if !slices.Equal(natures, want) {
		return xml.Name{}, nil, fmt.Errorf("its %s are (%s), not (%s)", what, joined(natures), joined(want))
	}
	for _, name := range append(slices.Clone(names), root) {
		if !plainName(name.Local) {
			return xml.Name{}, nil, fmt.Errorf("the element %s of its %s has no name that can be written", printable.Whole(name.Local), what)
		}
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return xml.Name{}, nil, fmt.Errorf("the element %s of its %s stands there twice", printable.Whole(name.Local), what)
		}
	}
	return root, names, nil
}

// natureOf says what an element of a sequence holds.
func (d description) natureOf(item *node) nature {
	if item.attr("maxOccurs") != "" && item.attr("maxOccurs") != "1" {
		return "repeated element"
	}
	t := item.qname(item.attr("type"))
	switch {
	case len(item.all(xsd("complexType"))) > 0 || d.complex(t):
		return list
	case t == xsd("boolean"):
		return boolean
	case t.Space == schemaSpace && slices.Contains([]string{"int", "long", "short", "integer"}, t.Local):
		return number
	}
	return text // also types such as a GUID, which is written as one
}

// complex reports whether a type is declared as one that holds elements.
func (d description) complex(t xml.Name) bool {
	for _, s := range d.types {
		if s.attr("targetNamespace") == t.Space && len(named(s.all(xsd("complexType")), t.Local)) > 0 {
			return true
		}
	}
	return false
}

// parts returns the parts of the description of that kind.
func (d description) parts(local string) []*node { return d.root.all(wsdl(local)) }

// named returns those nodes whose attribute name is that.
func named(nodes []*node, name string) []*node {
	var found []*node
	for _, n := range nodes {
		if n.attr("name") == name {
			found = append(found, n)
		}
	}
	return found
}

// first returns the first node, or one without anything.
func first(nodes []*node) *node {
	if len(nodes) == 0 {
		return new(node)
	}
	return nodes[0]
}

func wsdl(local string) xml.Name { return xml.Name{Space: wsdlSpace, Local: local} }
func soap(local string) xml.Name { return xml.Name{Space: soapSpace, Local: local} }
func xsd(local string) xml.Name  { return xml.Name{Space: schemaSpace, Local: local} }

// plainName reports whether a name can be written into a request as it is.
func plainName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '-' || r == '.')) {
			return false
		}
	}
	return s != ""
}

func joined(natures []nature) string {
	var words []string
	for _, n := range natures {
		words = append(words, string(n))
	}
	return strings.Join(words, ", ")
}
