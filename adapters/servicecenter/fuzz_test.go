package servicecenter_test

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/internal/printable"
)

// The decoders are fuzzed inside the package (decoders_test.go); here whole
// answers are, headers and all.

func FuzzAnswerToAnUpload(f *testing.F) {
	for _, reply := range []reply{
		says("SetLicense", "<success>true</success>"),
		says("SetLicense", "<success>false</success><errorText>No</errorText>"),
		answer(500, "text/xml", envelope("<soap:Fault><faultstring>x</faultstring></soap:Fault>")),
		answer(403, "text/html", "<html>"),
		{raw: "HTTP/1.1 302 Found\r\nLocation: https://other.example.test\r\n\r\n"},
	} {
		f.Add([]byte(reply.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := newServer(t, info(serial), reply{raw: string(raw)})
		err := s.client(nil).UploadLicense(t.Context(), quality(), opaque(t))
		if err == nil {
			require.Contains(t, string(raw), "SetLicenseResponse", "only an answer of SetLicense is success")
			return
		}
		text := err.Error()
		require.Equal(t, printable.Whole(text), text)
		require.NotContains(t, text, password)
		if strings.Contains(text, "success=false") {
			require.Contains(t, string(raw), "SetLicenseResponse")
		}
	})
}

func FuzzDescription(f *testing.F) {
	wsdl, err := os.ReadFile("testdata/platformservices.wsdl")
	require.NoError(f, err)
	f.Add(string(wsdl))
	f.Add(`<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>`)
	f.Fuzz(func(t *testing.T, wsdl string) {
		s := newServer(t, answer(200, "text/xml", wsdl))
		_, err := s.client(nil).RepublishModule(t.Context(), quality(), moduleName)
		require.Error(t, err, "whatever is described, no such modules are found")
		text := err.Error()
		require.Equal(t, printable.Whole(text), text)
		require.NotContains(t, text, password)
		for _, request := range s.sent() {
			require.NotContains(t, request, "TwoStepMode", "nothing is started")
		}
	})
}

// Whatever stands in a plan, nothing is dialed that is not in it.
func FuzzAddress(f *testing.F) {
	f.Add("https://qa.example.test", "https://qa.example.test")
	f.Add("http://qa.example.test", "https://evil.example.test")
	f.Fuzz(func(t *testing.T, planned, asked string) {
		inf := plan()
		inf.Environments[0].ServiceCenter = planned
		c, err := servicecenter.New(inf, servicecenter.Options{Credentials: account, Page: page{},
			Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				require.Equal(t, planned, asked)
				return nil, net.ErrClosed
			}})
		if err != nil {
			return
		}
		env := quality()
		env.ServiceCenter = asked
		_, err = c.InstalledLicense(t.Context(), env)
		require.Error(t, err)
	})
}
