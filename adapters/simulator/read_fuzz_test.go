package simulator

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

// Whatever a page holds, reading it ends, and an error can be printed.
func FuzzRead(f *testing.F) {
	f.Add(200, page(http.StatusOK, "licensing", struct {
		head
		State                                           string
		Installed                                       bool
		Organization, Edition, Type, Code, Serial, Ends string
		Features                                        []featureRow
	}{Installed: true, Code: "A", Features: []featureRow{{1, "a", "b", "c"}}}).body)
	f.Add(409, page(http.StatusConflict, "result", resultPage{Refused: true, Condition: "noSlot", Text: "x"}).body)
	f.Add(200, []byte(`<p id="simulation"><b id="x" id="y"></p>`))
	f.Add(200, []byte("<p id=\"refused\" title=\"\x1b\">\u202e</p>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		shown, err := read(wire.Answer{Status: status, Type: "text/html", Body: body}, "somewhere")
		if err != nil {
			require.Equal(t, printable.Whole(err.Error()), err.Error())
			return
		}
		require.Equal(t, http.StatusOK, status)
		require.True(t, shown.has("simulation"))
	})
}

// Whatever a request holds, it is one operation of the service or a reason
// that XML can hold.
func FuzzSOAPRequest(f *testing.F) {
	f.Add([]byte(`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><GetPlatformInfo xmlns="http://www.outsystems.com"/></e:Body></e:Envelope>`))
	f.Add([]byte("<a>\x00</a>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := outSystemsPlatform()
		in, err := soapRequest(call{Type: "text/xml", Body: body})
		if err == nil {
			_, err = s.operation(in, s.namespace+in.name.Local)
		}
		if err != nil {
			_, again := document(soapFault("Client", err.Error()).body)
			require.NoError(t, again)
		}
	})
}
