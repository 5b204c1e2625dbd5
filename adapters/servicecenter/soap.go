package servicecenter

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

const (
	envelopeSpace = "http://schemas.xmlsoap.org/soap/envelope/"
	vendorSpace   = "http://www.outsystems.com"
)

// An operation is one operation of a web service: SOAP 1.1, document/literal.
type operation struct {
	name    string
	action  string // SOAPAction
	input   xml.Name
	params  []xml.Name
	output  xml.Name
	results []xml.Name
}

// known is an operation of a service whose description is public (facts.md 3.1,
// 3.4).
func known(service, name string, params, results []string) operation {
	in := func(names []string) []xml.Name {
		var all []xml.Name
		for _, n := range names {
			all = append(all, xml.Name{Space: vendorSpace, Local: n})
		}
		return all
	}
	return operation{
		name: name, action: "http://ServiceCenter/" + service + "/" + name,
		input: xml.Name{Space: vendorSpace, Local: name}, params: in(params),
		output: xml.Name{Space: vendorSpace, Local: name + "Response"}, results: in(results),
	}
}

// soap calls an operation with values for its parameters, in their order. An
// error without a condition says nothing of what the server has done.
func (s session) soap(ctx context.Context, page string, op operation, values ...string) (result, error) {
	answer, err := s.do(ctx, wire.Request{
		Method: http.MethodPost, URL: s.at(page, ""),
		Header: http.Header{"Content-Type": {"text/xml; charset=utf-8"}, "SOAPAction": {`"` + op.action + `"`}},
		Body:   op.envelope(values),
	})
	if err != nil {
		return result{}, fmt.Errorf("%s: %w", printable.Text(op.name), err)
	}
	r, err := op.read(answer)
	r.veil = s.veil
	if err != nil {
		return result{}, fmt.Errorf("%s: %s answers %s: %s", printable.Text(s.base.Host), printable.Text(op.name), status(answer.Status), s.veil.text(err.Error()))
	}
	return r, nil
}

// envelope is the request. Values that XML cannot hold were refused before.
func (op operation) envelope(values []string) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n")
	b.WriteString(`<soap:Envelope xmlns:soap="` + envelopeSpace + `"><soap:Body>`)
	open := func(name xml.Name, around string) {
		b.WriteString("<" + name.Local)
		if name.Space != around {
			b.WriteString(` xmlns="` + escaped(name.Space) + `"`)
		}
		b.WriteString(">")
	}
	open(op.input, "")
	for i, name := range op.params {
		open(name, op.input.Space)
		b.WriteString(escaped(values[i]) + "</" + name.Local + ">")
	}
	b.WriteString("</" + op.input.Local + "></soap:Body></soap:Envelope>")
	return b.Bytes()
}

// A result is what an operation has answered.
type result struct {
	op   operation
	root *node
	veil veil
}

// read takes the result out of an answer.
func (op operation) read(a wire.Answer) (result, error) {
	text, err := a.Text("text/xml")
	if err != nil {
		return result{}, err
	}
	root, err := parseXML(text)
	if err != nil {
		return result{}, err
	}
	if root.name != (xml.Name{Space: envelopeSpace, Local: "Envelope"}) {
		return result{}, fmt.Errorf("the answer is no SOAP 1.1 envelope but the element %s", root.name.Local)
	}
	bodies := root.all(xml.Name{Space: envelopeSpace, Local: "Body"})
	if len(bodies) != 1 || len(bodies[0].kids) != 1 {
		return result{}, errors.New("the answer has not one SOAP body with one element")
	}
	content := bodies[0].kids[0]
	if content.name == (xml.Name{Space: envelopeSpace, Local: "Fault"}) {
		reason := ""
		for _, kid := range content.kids {
			if kid.name.Local == "faultstring" {
				reason = kid.value()
			}
		}
		return result{}, errors.New("a SOAP fault: " + strings.TrimSpace(reason))
	}
	switch {
	case a.Status != http.StatusOK:
		return result{}, fmt.Errorf("a status that does not go with the element %s", content.name.Local)
	case content.name != op.output:
		return result{}, fmt.Errorf("the element %s of the namespace %s, not %s of %s", content.name.Local, content.name.Space, op.output.Local, op.output.Space)
	}
	for _, name := range op.results {
		if len(content.all(name)) > 1 {
			return result{}, fmt.Errorf("the element %s stands there twice", name.Local)
		}
	}
	return result{op: op, root: content}, nil
}

// get returns the i-th result; nil if it is not there.
func (r result) get(i int) *node {
	if all := r.root.all(r.op.results[i]); len(all) == 1 {
		return all[0]
	}
	return nil
}

// text returns the i-th result, which is a text; empty if it is not there.
func (r result) text(i int) (string, error) {
	n := r.get(i)
	switch {
	case n == nil:
		return "", nil
	case len(n.kids) > 0:
		return "", r.bad(i, "holds elements and no text")
	}
	return n.value(), nil
}

// number returns the i-th result, which is a whole number.
func (r result) number(i int) (int, error) {
	text, err := r.text(i)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, r.bad(i, "is no whole number")
	}
	return n, nil
}

// boolean returns the i-th result, which is true or false.
func (r result) boolean(i int) (bool, error) {
	text, err := r.text(i)
	if err != nil {
		return false, err
	}
	switch strings.TrimSpace(text) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, r.bad(i, "is neither true nor false")
}

// list returns the items of the i-th result, which is a list.
func (r result) list(i int) []*node {
	if n := r.get(i); n != nil {
		return n.kids
	}
	return nil
}

func (r result) bad(i int, why string) error {
	return fmt.Errorf("%s answers, but %s %s", printable.Text(r.op.name), r.veil.text(r.op.results[i].Local), why)
}
