package servicecenter

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// What an answer may be made of, beside its size; a service description has a
// few thousand elements, the list of all modules some ten thousand.
const (
	maxElements = 500_000
	maxDepth    = 64
)

// A node is an element of an answer.
type node struct {
	name  xml.Name
	attrs []xml.Attr
	scope *scope
	text  []byte
	kids  []*node
}

// A scope holds the prefixes that an element declares.
type scope struct {
	attrs  []xml.Attr
	parent *scope
}

// parseXML reads a document. It refuses document types, and with them every
// entity that XML does not have by itself.
func parseXML(b []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var root *node
	var open []*node
	for elements := 0; ; {
		token, err := d.Token()
		if err == io.EOF && root != nil && len(open) == 0 {
			return root, nil
		}
		if err == io.EOF {
			return nil, errors.New("the answer holds no XML")
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name, attrs: t.Attr}
			if elements++; elements > maxElements || len(open) == maxDepth {
				return nil, fmt.Errorf("the answer has more than %d elements, or more than %d in one another", maxElements, maxDepth)
			}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.kids = append(parent.kids, n)
				n.scope = parent.scope
			case root != nil:
				return nil, errors.New("the answer goes on after its end")
			default:
				root = n
			}
			for _, a := range t.Attr {
				if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
					n.scope = &scope{t.Attr, n.scope}
					break
				}
			}
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				n := open[len(open)-1]
				n.text = append(n.text, t...)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("the answer has text outside its element")
			}
		case xml.Directive:
			return nil, errors.New("the answer declares a document type, which may hide entities")
		case xml.ProcInst:
			if t.Target != "xml" || root != nil {
				return nil, errors.New("the answer contains a processing instruction")
			}
		}
	}
}

// value is the text of an element without elements.
func (n *node) value() string { return string(n.text) }

// all returns the children of that name.
func (n *node) all(name xml.Name) []*node {
	var found []*node
	for _, kid := range n.kids {
		if kid.name == name {
			found = append(found, kid)
		}
	}
	return found
}

// child returns the text of the first child of that local name; empty if there
// is none.
func (n *node) child(local string) string {
	for _, kid := range n.kids {
		if kid.name.Local == local {
			return kid.value()
		}
	}
	return ""
}

// attr returns the value of an attribute without a namespace.
func (n *node) attr(local string) string {
	for _, a := range n.attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// qname resolves a name such as tns:Op that stands in an attribute of n.
func (n *node) qname(value string) xml.Name {
	prefix, local, found := strings.Cut(strings.TrimSpace(value), ":")
	if !found {
		prefix, local = "", prefix
	}
	for s := n.scope; s != nil; s = s.parent {
		for _, a := range s.attrs {
			if prefix != "" && a.Name.Space == "xmlns" && a.Name.Local == prefix ||
				prefix == "" && a.Name.Space == "" && a.Name.Local == "xmlns" {
				return xml.Name{Space: a.Value, Local: local}
			}
		}
	}
	return xml.Name{Local: local}
}

// escaped is text as XML holds it.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

// inXML reports whether XML can hold the text unchanged.
func inXML(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff || r == utf8.RuneError
	})
}
