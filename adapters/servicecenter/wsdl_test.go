package servicecenter_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// describes starts a republish at a server with another description.
func describes(t *testing.T, change ...string) (*server, error) {
	t.Helper()
	before := description(t)
	after := strings.NewReplacer(change...).Replace(before)
	for i := 0; i < len(change); i += 2 {
		require.Contains(t, before, change[i])
	}
	replies := upTo(t, staged(`{"publishId":41}`), news(1, true, message("Info", "Done", "")), published(7))
	replies[0] = answer(200, "text/xml; charset=utf-8", after)
	s := newServer(t, replies...)
	_, err := s.client(nil).RepublishModule(t.Context(), quality(), moduleName)
	return s, err
}

func TestAServerWithAnotherDescriptionIsRefusedBeforeAnythingIsStarted(t *testing.T) {
	const aborts, continues = "SolutionPack_PublishAbort", "SolutionPack_PublishContinue"
	for _, c := range []struct {
		name   string
		says   string
		change []string
	}{
		{"an operation is missing", aborts + ": no such operation over SOAP 1.1", []string{`<wsdl:operation name="` + aborts + `">`, `<wsdl:operation name="X">`}},
		{"two operations are missing", aborts + ": no such operation over SOAP 1.1", []string{`<wsdl:operation name="` + aborts + `">`, `<wsdl:operation name="X">`, `<wsdl:operation name="` + continues + `">`, `<wsdl:operation name="Y">`}},
		{"SOAP 1.2 only", "Modules_Get: no such operation over SOAP 1.1", []string{`xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"`, `xmlns:soap="urn:x"`}},
		{"a parameter more", "SolutionPack_PublishContinue: its parameters are (text, text, number, number), not (text, text, number)", []string{
			`<s:element name="SolutionPack_PublishContinue">
        <s:complexType>
          <s:sequence>`, `<s:element name="SolutionPack_PublishContinue">
        <s:complexType>
          <s:sequence>
            <s:element name="A" type="s:string" />
            <s:element name="B" type="s:string" />
            <s:element name="C" type="s:int" />`,
			`<s:element minOccurs="0" maxOccurs="1" name="Who" type="s:string" />
            <s:element minOccurs="0" maxOccurs="1" name="Secret" type="s:string" />
            <s:element minOccurs="1" maxOccurs="1" name="Publish" type="s:int" />
          </s:sequence>
        </s:complexType>
      </s:element>
      <s:element name="SolutionPack_PublishContinueResponse">`, `<s:element name="D" type="s:int" />
          </s:sequence>
        </s:complexType>
      </s:element>
      <s:element name="SolutionPack_PublishContinueResponse">`}},
		{"a parameter less", "Module_GetVersions: its parameters are (text, text), not (text, text, text)", []string{`<s:element minOccurs="0" maxOccurs="1" name="Which" type="s:string" />`, ``}},
		{"a result less", "SolutionPack_GetPublishMessages: its results are (list, number), not (list, number, boolean)", []string{`<s:element minOccurs="1" maxOccurs="1" name="Over" type="s:boolean" />`, ``}},
		{"results in another order", "its results are (list, boolean, number), not (list, number, boolean)", []string{
			`<s:element minOccurs="1" maxOccurs="1" name="Last" type="s:int" />
            <s:element minOccurs="1" maxOccurs="1" name="Over" type="s:boolean" />`, `<s:element name="Over" type="s:boolean" />
            <s:element name="Last" type="s:int" />`}},
		{"a text where a list was", "Modules_Get: its results are (text), not (list)", []string{`name="Found" type="tns:ArrayOfModule"`, `name="Found" type="s:string"`}},
		{"a list without an element around it", "its results are (repeated element), not (list)", []string{`maxOccurs="1" name="Found"`, `maxOccurs="unbounded" name="Found"`}},
		{"an element that is not declared", "the element Modules_Get of its parameters is not declared once", []string{`<s:element name="Modules_Get">`, `<s:element name="Modules_Get2">`}},
		{"an element that is declared twice", "the element Modules_Get of its parameters is not declared once", []string{`<s:complexType name="ArrayOfVersion" />`, `<s:element name="Modules_Get" />`}},
		{"a name that breaks out of the request", `the element \u202e`, []string{`name="Which"`, "name=\"\u202e&lt;/Which&gt;\""}},
		{"two elements of one name", "the element Who of its parameters stands there twice", []string{`name="Secret"`, `name="Who"`}},
		{"remote procedure calls", "its style is rpc, not document", []string{`soapAction="http://made-up.example.test/services/Modules_Get" style="document"`, `soapAction="http://made-up.example.test/services/Modules_Get" style="rpc"`}},
		{"a binding in that style", "its style is rpc, not document", []string{`<soap:binding transport`, `<soap:binding style="rpc" transport`}},
		{"an encoding", `its input is used as "encoded", not literal`, []string{`<soap:body use="literal" />`, `<soap:body use="encoded" />`}},
		{"an action that breaks out of the header", `cannot stand in a header`, []string{`services/Modules_Get"`, `services/&#10;Cookie: x"`}},
		{"an action with a quotation mark", `cannot stand in a header`, []string{`services/Modules_Get"`, `services/&quot;x"`}},
		{"messages of types", "the message of its parameters is not one element", []string{`<wsdl:part name="parameters" element="tns:Modules_Get" />`, `<wsdl:part name="parameters" type="tns:Modules_Get" />`}},
		{"messages in parts", "the message of its parameters is not one element", []string{`<wsdl:part name="parameters" element="tns:Modules_Get" />`, `<wsdl:part name="a" element="tns:Modules_Get" /><wsdl:part name="b" element="tns:Modules_Get" />`}},
		{"no messages", "the message of its parameters is not one element", []string{`<wsdl:message name="Modules_GetIn">`, `<wsdl:message name="X">`}},
		{"no port type", "its port type does not have it once", []string{`<wsdl:portType name="Port">`, `<wsdl:portType name="X">`}},
		{"no schema", "is not declared once", []string{`<wsdl:types>`, `<x>`, `</wsdl:types>`, `</x>`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := describes(t, c.change...)
			require.Equal(t, "unsupported", means(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			safe(t, err, basic())
			require.Len(t, s.sent(), 1)
		})
	}
}

func TestADescriptionIsReadByPositionWhateverTheNames(t *testing.T) {
	t.Run("other names", func(t *testing.T) {
		s, err := describes(t, `name="Who"`, `name="Password"`, `name="Secret"`, `name="User"`, `name="Publish" type="s:int"`, `name="N-1.x" type="s:long"`)
		require.NoError(t, err)
		require.Contains(t, s.sent()[1], "<Password>zoë &amp; co</Password><User>#made&lt;up&#34;Opaque</User>")
		require.Contains(t, s.sent()[4], "<N-1.x>41</N-1.x>")
	})
	t.Run("elements without a namespace", func(t *testing.T) {
		replies := upTo(t, staged(`{"publishId":41}`))
		replies[0] = answer(200, "application/xml", strings.Replace(description(t), ` elementFormDefault="qualified"`, ``, 1))
		replies[1] = says("Modules_Get", `<Found xmlns=""><M><Name>ECT_Provider</Name><Key>k</Key><Kind>eSpace</Kind></M></Found>`)
		s := newServer(t, replies...)
		_, err := s.client(nil).RepublishModule(t.Context(), quality(), moduleName)
		require.ErrorContains(t, err, "Module_GetVersions answers, but Current is no whole number")
		require.Contains(t, s.sent()[1], `<Modules_Get xmlns="http://www.outsystems.com"><Who xmlns="">zoë &amp; co</Who><Secret xmlns="">`)
	})
	t.Run("another namespace, and one to be escaped", func(t *testing.T) {
		s, err := describes(t, `"http://www.outsystems.com"`, `"urn:a&amp;b&quot;c"`)
		require.ErrorContains(t, err, "Modules_Get answers 200 OK: the element Modules_GetResponse of the namespace http://www.outsystems.com, not Modules_GetResponse of urn:a&b\"c")
		require.Contains(t, s.sent()[1], `<Modules_Get xmlns="urn:a&amp;b&#34;c"><Who>`)
	})
	t.Run("a key of a type of its own", func(t *testing.T) {
		_, err := describes(t, `name="Which" type="s:string"`, `name="Which" type="guid:guid" xmlns:guid="http://microsoft.com/wsdl/types/"`)
		require.NoError(t, err)
	})
	t.Run("a list described in place", func(t *testing.T) {
		_, err := describes(t, `name="Found" type="tns:ArrayOfModule" />`, `name="Found"><s:complexType /></s:element>`)
		require.NoError(t, err)
	})
}
