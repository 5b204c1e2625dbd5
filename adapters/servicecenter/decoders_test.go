package servicecenter

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

// FuzzXML: what is read is one element that encoding/xml reads too, within the
// limits, and its text is the text between the tags.
func FuzzXML(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><a x="1"><b>&lt;</b><![CDATA[<]]></a>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`))
	f.Add([]byte(`<a/><b/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		root, err := parseXML(b)
		if err != nil {
			return
		}
		var again any
		require.NoError(t, xml.NewDecoder(bytes.NewReader(b)).Decode(&again))
		var text strings.Builder
		d := xml.NewDecoder(bytes.NewReader(b))
		for depth := 0; ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			switch token := token.(type) {
			case xml.StartElement:
				depth++
			case xml.EndElement:
				depth--
			case xml.CharData:
				if depth > 0 {
					text.Write(token)
				}
			case xml.Directive:
				require.Fail(t, "a document type was accepted")
			}
			require.LessOrEqual(t, depth, maxDepth)
		}
		require.Len(t, allText(root), text.Len())
	})
}

func allText(n *node) string {
	text := n.value()
	for _, kid := range n.kids {
		text += allText(kid)
	}
	return text
}

// FuzzEnvelope: what was written is read again as it was.
func FuzzEnvelope(f *testing.F) {
	f.Add("zoë", "<&\">'\r\n\t]]>")
	f.Add("\x00", "\xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !inXML(a) || !inXML(b) {
			return
		}
		op := known("Service", "Op", []string{"a", "b"}, []string{"a", "b"})
		op.output = op.input
		r, err := op.read(wire.Answer{Status: 200, Type: "text/xml", Body: op.envelope([]string{a, b})})
		require.NoError(t, err)
		for i, want := range []string{a, b} {
			got, err := r.text(i)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

// FuzzAnswer: an answer is either an error or has the wanted element.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "text/xml", []byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><SetLicenseResponse xmlns="http://www.outsystems.com"><success>true</success></SetLicenseResponse></s:Body></s:Envelope>`))
	f.Fuzz(func(t *testing.T, status int, kind string, b []byte) {
		op := setLicense()
		r, err := op.read(wire.Answer{Status: status, Type: kind, Body: b})
		if err != nil {
			return
		}
		require.Equal(t, 200, status)
		require.Equal(t, "text/xml", kind)
		require.True(t, utf8.Valid(b))
		require.Equal(t, op.output, r.root.name)
		success, err := r.boolean(0)
		if err != nil {
			require.False(t, success)
		}
		_, _ = r.number(1)
	})
}

// FuzzStaged: only a positive id means that a publish was started.
func FuzzStaged(f *testing.F) {
	f.Add([]byte(`{"publishId":41,"Messages":[{"REST_PublicationMessage":{"Message":"a","Detail":"b","Type":"Info"}}]}`))
	f.Add([]byte(`{"publishId":0}{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseStaged(b)
		if err != nil {
			require.NotContains(t, err.Error(), "invalid character", "what was answered is not repeated")
			require.Nil(t, s.PublishID)
		}
	})
}

// FuzzDescribed: a description that is accepted gives names that can be
// written into a request as they are.
func FuzzDescribed(f *testing.F) {
	wsdl, err := os.ReadFile("testdata/platformservices.wsdl")
	require.NoError(f, err)
	f.Add(wsdl)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseDescription(b)
		if err != nil {
			return
		}
		ops, err := d.find(signatures())
		if err != nil {
			require.Equal(t, adapters.ErrUnsupported, adapters.ConditionOf(err))
			return
		}
		for i, s := range signatures() {
			require.Len(t, ops[i].params, len(s.params))
			require.Len(t, ops[i].results, len(s.results))
			root, err := parseXML(ops[i].envelope([]string{"a", "b", "3", "4"}[:len(s.params)]))
			require.NoError(t, err)
			request := root.kids[0].kids[0]
			require.Equal(t, ops[i].input, request.name)
			for p, name := range ops[i].params {
				require.Equal(t, name, request.kids[p].name)
			}
		}
	})
}

// FuzzVeil: nothing secret comes through, and what does is fit to be printed.
func FuzzVeil(f *testing.F) {
	f.Add("said #made-up-password and more", "#made-up-password")
	f.Fuzz(func(t *testing.T, said, secret string) {
		text := new(veil).over(secret).text(said)
		require.Equal(t, printable.Whole(text), text)
		if len(secret) >= 8 && printable.Whole(secret) == secret && !strings.Contains("(hidden)", secret) && !strings.Contains(secret, "(hidden)") {
			require.NotContains(t, text, secret)
		}
	})
}
