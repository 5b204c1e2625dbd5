package simulator

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// The names of SOAP 1.1, and of the platform's elements (facts.md 3.1).
const (
	envelopeNS = "http://schemas.xmlsoap.org/soap/envelope/"
	elementNS  = "http://www.outsystems.com"
)

// An element is a piece of XML.
type element struct {
	name     xml.Name
	text     string
	children []element
}

// child returns the text of the child of that name; elements come in any
// order.
func (e element) child(name string) (string, bool) {
	for _, c := range e.children {
		if c.name.Space == elementNS && c.name.Local == name {
			return c.text, true
		}
	}
	return "", false
}

// Limits of a request. No operation takes more than a few elements; each costs
// many times the bytes that it has in the request.
const (
	maxDepth    = 16
	maxElements = 1000
)

// parse reads one element with everything in it; count is how many there have
// been.
func parse(d *xml.Decoder, start xml.StartElement, depth int, count *int) (element, error) {
	e := element{name: start.Name}
	switch *count++; {
	case depth > maxDepth:
		return e, errors.New("the request is nested too deeply")
	case *count > maxElements:
		return e, errors.New("the request has too many elements")
	}
	var text strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return e, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			c, err := parse(d, t, depth+1, count)
			if err != nil {
				return e, err
			}
			e.children = append(e.children, c)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			e.text = text.String()
			return e, nil
		}
	}
}

// document reads a document of one element.
func document(b []byte) (element, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var root element
	found := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && found {
			return root, nil
		}
		if err != nil {
			return element{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if found {
				return element{}, errors.New("there is a second element")
			}
			if root, err = parse(d, t, 1, new(int)); err != nil {
				return element{}, err
			}
			found = true
		case xml.Directive:
			return element{}, errors.New("there is a document type")
		}
	}
}

// request reads a SOAP 1.1 request: what is in its body, and nothing else.
func soapRequest(c call) (element, error) {
	kind, params, _ := strings.Cut(c.Type, ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "text/xml") {
		return element{}, errors.New("the content type is not text/xml")
	}
	if charset := strings.ToLower(params); strings.Contains(charset, "charset") && !strings.Contains(charset, "utf-8") {
		return element{}, errors.New("the charset is not utf-8")
	}
	root, err := document(c.Body)
	if err != nil {
		return element{}, err
	}
	if root.name != (xml.Name{Space: envelopeNS, Local: "Envelope"}) {
		return element{}, errors.New("the request is not a SOAP 1.1 envelope")
	}
	for _, part := range root.children {
		if part.name == (xml.Name{Space: envelopeNS, Local: "Body"}) {
			if len(part.children) != 1 {
				return element{}, fmt.Errorf("the body has %d elements", len(part.children))
			}
			return part.children[0], nil
		}
	}
	return element{}, errors.New("the envelope has no body")
}

// escape writes text for XML.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

func envelope(status int, body string) answer {
	return answer{status: status, kind: "text/xml; charset=utf-8", body: []byte(
		`<?xml version="1.0" encoding="utf-8"?>` +
			`<soap:Envelope xmlns:soap="` + envelopeNS + `" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">` +
			`<soap:Body>` + body + `</soap:Body></soap:Envelope>`)}
}

// soapFault answers that the request failed; who is Client or Server.
func soapFault(who, text string) answer {
	return envelope(http.StatusInternalServerError,
		`<soap:Fault><faultcode>soap:`+who+`</faultcode><faultstring>`+escape(text)+`</faultstring><detail /></soap:Fault>`)
}
