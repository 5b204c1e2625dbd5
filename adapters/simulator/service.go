package simulator

import (
	"fmt"
	"strings"
)

// A service is one SOAP service of a Service Center: what its WSDL says, and
// what its requests are checked against.
type service struct {
	name       string // of the .asmx
	namespace  string // of the WSDL, and the beginning of every SOAPAction
	types      []complexType
	operations []operation
}

// A complexType is a list of items, or an item with fields.
type complexType struct {
	name   string
	item   string // name of the elements, if it is a list
	itemOf string // their type
	fields []param
}

// An operation takes and gives elements in a fixed order.
type operation struct {
	name    string
	in, out []param
}

type param struct{ name, kind string }

func str(name string) param     { return param{name, "s:string"} }
func integer(name string) param { return param{name, "s:int"} }
func boolean(name string) param { return param{name, "s:boolean"} }

// The services. Of OutSystemsPlatform and of PublishRunningVersion every name
// is known (facts.md 3.1, 3.4). Of PlatformServices only the operations and the
// order of their parameters are public; the names of its elements, the
// namespace of its WSDL and with it the SOAPAction are this simulator's own.
// Whoever speaks to it has to read its WSDL, as with a real one.
func outSystemsPlatform() service {
	return service{
		name: "OutSystemsPlatform", namespace: "http://ServiceCenter/OutSystemsPlatform/",
		operations: []operation{
			{"GetPlatformInfo", nil, []param{str("Version"), str("Serial")}},
			{"SetLicense", []param{str("username"), str("password"), {"fileContent", "s:base64Binary"}}, []param{boolean("success"), str("errorText")}},
		},
	}
}

func solutions() service {
	return service{
		name: "Solutions", namespace: "http://ServiceCenter/Solutions/",
		operations: []operation{
			{"PublishRunningVersion", []param{str("username"), str("password"), str("SolutionName")}, []param{integer("SolutionPubId")}},
		},
	}
}

func platformServices() service {
	account := func(more ...param) []param { return append([]param{str("Username"), str("Password")}, more...) }
	return service{
		name: "PlatformServices_v8_0_0", namespace: "http://simulation.invalid/ServiceCenter/PlatformServices/",
		types: []complexType{
			{name: "ArrayOfHEModule", item: "HEModule", itemOf: "HEModule"},
			{name: "HEModule", fields: []param{str("Name"), str("Key"), str("Kind")}},
			{name: "ArrayOfHEModuleVersion", item: "HEModuleVersion", itemOf: "HEModuleVersion"},
			{name: "HEModuleVersion", fields: []param{integer("Version"), str("UploadedBy")}},
			{name: "ArrayOfHEMessage", item: "HEMessage", itemOf: "HEMessage"},
			{name: "HEMessage", fields: []param{integer("Id"), str("Message"), str("Detail"), str("HelpRef"), str("ExtraInfo"), str("Type"), boolean("Submitable")}},
		},
		operations: []operation{
			{"Modules_Get", account(), []param{{"HEModules", "tns:ArrayOfHEModule"}}},
			{"Module_GetVersions", account(str("HEModuleKey")), []param{{"HEModuleVersions", "tns:ArrayOfHEModuleVersion"}, integer("PublishedVersionNumber"), integer("ResultCode"), str("ResultText")}},
			{"SolutionPack_GetPublishMessages", account(integer("PublicationId"), integer("AfterId")), []param{{"HEMessages", "tns:ArrayOfHEMessage"}, integer("NewestId"), boolean("IsFinished")}},
			{"SolutionPack_PublishContinue", account(integer("PublicationId")), nil},
			{"SolutionPack_PublishAbort", account(integer("PublicationId")), nil},
		},
	}
}

// operation finds the operation that a request is for. The SOAPAction has to be
// its own, with or without quotes.
func (s service) operation(in element, action string) (operation, error) {
	for _, op := range s.operations {
		if in.name.Local != op.name {
			continue
		}
		if in.name.Space != elementNS {
			return operation{}, fmt.Errorf("the element %s is not in the namespace %s", op.name, elementNS)
		}
		if strings.Trim(action, `"`) != s.namespace+op.name {
			return operation{}, fmt.Errorf("the server did not recognize the value of the HTTP header SOAPAction; %s has %s%s", op.name, s.namespace, op.name)
		}
		for _, c := range in.children {
			if !hasParam(op.in, c.name.Local) || c.name.Space != elementNS {
				return operation{}, fmt.Errorf("%s does not take the element %s", op.name, c.name.Local)
			}
		}
		return op, nil
	}
	return operation{}, fmt.Errorf("%s has no operation %s", s.name, in.name.Local)
}

func hasParam(list []param, name string) bool {
	for _, p := range list {
		if p.name == name {
			return true
		}
	}
	return false
}

// respond puts the values, in the order of the operation's parameters, into
// its response; "" leaves a string out. Values of lists are XML already.
func (op operation) respond(values ...string) answer {
	var b strings.Builder
	fmt.Fprintf(&b, `<%sResponse xmlns="%s">`, op.name, elementNS)
	for i, v := range values {
		p := op.out[i]
		switch {
		case strings.HasPrefix(p.kind, "tns:"):
			fmt.Fprintf(&b, "<%s>%s</%s>", p.name, v, p.name)
		case v != "":
			fmt.Fprintf(&b, "<%s>%s</%s>", p.name, escape(v), p.name)
		}
	}
	fmt.Fprintf(&b, `</%sResponse>`, op.name)
	return envelope(200, b.String())
}

// item writes an element of a list; fields come in pairs of name and value.
func item(name string, fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<%s>", name)
	for i := 0; i+1 < len(fields); i += 2 {
		fmt.Fprintf(&b, "<%s>%s</%s>", fields[i], escape(fields[i+1]), fields[i])
	}
	fmt.Fprintf(&b, "</%s>", name)
	return b.String()
}

// wsdl writes the description of the service, for SOAP 1.1, document/literal.
func (s service) wsdl(location string) []byte {
	var b strings.Builder
	sequence := func(params []param) {
		b.WriteString("<s:complexType><s:sequence>\n")
		for _, p := range params {
			least := "1"
			if p.kind == "s:string" || p.kind == "s:base64Binary" || strings.HasPrefix(p.kind, "tns:") {
				least = "0"
			}
			fmt.Fprintf(&b, "          <s:element minOccurs=\"%s\" maxOccurs=\"1\" name=\"%s\" type=\"%s\" />\n", least, p.name, p.kind)
		}
		b.WriteString("        </s:sequence></s:complexType>")
	}
	wsdlNS := s.namespace
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?>
<!-- A simulation, not a real system. -->
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:tns="%s" xmlns:d="%s" targetNamespace="%s">
  <wsdl:types>
    <s:schema elementFormDefault="qualified" targetNamespace="%s" xmlns:tns="%s">
`, elementNS, wsdlNS, wsdlNS, elementNS, elementNS)
	for _, op := range s.operations {
		for _, side := range []struct {
			name   string
			params []param
		}{{op.name, op.in}, {op.name + "Response", op.out}} {
			fmt.Fprintf(&b, "      <s:element name=\"%s\">", side.name)
			sequence(side.params)
			b.WriteString("</s:element>\n")
		}
	}
	for _, t := range s.types {
		fmt.Fprintf(&b, "      <s:complexType name=\"%s\"><s:sequence>\n", t.name)
		if t.item != "" {
			fmt.Fprintf(&b, "          <s:element minOccurs=\"0\" maxOccurs=\"unbounded\" name=\"%s\" nillable=\"true\" type=\"tns:%s\" />\n", t.item, t.itemOf)
		}
		for _, p := range t.fields {
			fmt.Fprintf(&b, "          <s:element minOccurs=\"0\" maxOccurs=\"1\" name=\"%s\" type=\"%s\" />\n", p.name, p.kind)
		}
		b.WriteString("      </s:sequence></s:complexType>\n")
	}
	b.WriteString("    </s:schema>\n  </wsdl:types>\n")
	for _, op := range s.operations {
		fmt.Fprintf(&b, "  <wsdl:message name=\"%sSoapIn\"><wsdl:part name=\"parameters\" element=\"tns:%s\" /></wsdl:message>\n", op.name, op.name)
		fmt.Fprintf(&b, "  <wsdl:message name=\"%sSoapOut\"><wsdl:part name=\"parameters\" element=\"tns:%sResponse\" /></wsdl:message>\n", op.name, op.name)
	}
	fmt.Fprintf(&b, "  <wsdl:portType name=\"%sSoap\">\n", s.name)
	for _, op := range s.operations {
		fmt.Fprintf(&b, "    <wsdl:operation name=\"%s\"><wsdl:input message=\"d:%sSoapIn\" /><wsdl:output message=\"d:%sSoapOut\" /></wsdl:operation>\n", op.name, op.name, op.name)
	}
	fmt.Fprintf(&b, "  </wsdl:portType>\n  <wsdl:binding name=\"%sSoap\" type=\"d:%sSoap\">\n    <soap:binding transport=\"http://schemas.xmlsoap.org/soap/http\" />\n", s.name, s.name)
	for _, op := range s.operations {
		fmt.Fprintf(&b, "    <wsdl:operation name=\"%s\"><soap:operation soapAction=\"%s%s\" style=\"document\" /><wsdl:input><soap:body use=\"literal\" /></wsdl:input><wsdl:output><soap:body use=\"literal\" /></wsdl:output></wsdl:operation>\n", op.name, s.namespace, op.name)
	}
	fmt.Fprintf(&b, "  </wsdl:binding>\n  <wsdl:service name=\"%s\">\n    <wsdl:port name=\"%sSoap\" binding=\"d:%sSoap\"><soap:address location=\"%s\" /></wsdl:port>\n  </wsdl:service>\n</wsdl:definitions>\n",
		s.name, s.name, s.name, escape(location))
	return []byte(b.String())
}
