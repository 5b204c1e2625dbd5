package fake

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"io"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// signature is what stands where a real license has its signature.
const signature = "simulated, not signed"

// xmlLicense is the structure of a license file, as far as it was observed
// (facts.md 4).
type xmlLicense struct {
	XMLName      xml.Name     `xml:"License"`
	Signature    string       `xml:"Signature,attr"`
	Schema       int          `xml:"Schema,attr"`
	UID          string       `xml:"UID,attr,omitempty"`
	Creation     string       `xml:"Creation,attr,omitempty"`
	Term         string       `xml:"Term,attr,omitempty"`
	Warn         int          `xml:"Warn,attr"`
	Grace        int          `xml:"Grace,attr"`
	Organization string       `xml:"Organization,attr"`
	Type         string       `xml:"Type,attr"`
	Edition      string       `xml:"Edition,attr"`
	Serial       string       `xml:"Serial,attr,omitempty"`
	Features     []xmlFeature `xml:"Features>Feature"`
}

type xmlFeature struct {
	ID    string `xml:"Id,attr"`
	Name  string `xml:"Name,attr"`
	Limit string `xml:"Limit,attr"`
}

// LicenseFile writes a license file of the observed structure (facts.md 4: a
// zlib stream of XML) that says d and that [license.Inspect] reads back. Times
// are kept to the second, and characters that XML cannot hold are replaced. It
// is not signed and says so. Files with different salts say the same in
// different bytes. It returns the zero File for details that do not fit into
// [license.MaxFileBytes].
func LicenseFile(d license.Details, salt string) license.File {
	x := xmlLicense{
		Signature: signature, Schema: 1, Warn: 30, Grace: 30,
		UID: d.Code.Reveal(), Serial: string(d.Serial),
		Creation: formatTime(d.Created), Term: formatTime(d.Ends),
		Organization: d.Organization, Type: d.Type, Edition: d.Edition,
	}
	if salt != "" {
		x.Signature += ": " + salt
	}
	for _, f := range d.Features {
		x.Features = append(x.Features, xmlFeature(f))
	}
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, zlib.BestCompression) // 0x78 0xDA, as observed
	if err != nil {
		return license.File{}
	}
	if err := xml.NewEncoder(z).Encode(x); err != nil {
		return license.File{}
	}
	if err := z.Close(); err != nil {
		return license.File{}
	}
	f, err := license.NewFile(out.Bytes())
	if err != nil {
		return license.File{}
	}
	return f
}

// opaqueHead begins a license file in a form of which only Service Center
// knows that a license follows.
const opaqueHead = "SIMULATED OPAQUE LICENSE\n"

// opaque returns a file that says the same as f, but cannot be inspected.
func opaque(f license.File) license.File {
	o, err := license.NewFile(append([]byte(opaqueHead), f.Bytes()...))
	if err != nil {
		return license.File{}
	}
	return o
}

// maxInflated is how much a license file may hold: a simulated Service Center
// need not fall over what a real one would refuse.
const maxInflated = 16 << 20

// read says what a license file holds, as Service Center understands it; ok is
// false when it is none. It is written independently of [license.Inspect], so
// that the two check each other.
func read(f license.File) (d license.Details, ok bool) {
	b, _ := bytes.CutPrefix(f.Bytes(), []byte(opaqueHead))
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return license.Details{}, false
	}
	text, err := io.ReadAll(io.LimitReader(z, maxInflated))
	if err != nil {
		return license.Details{}, false
	}
	var x xmlLicense
	if err := xml.Unmarshal(text, &x); err != nil {
		return license.Details{}, false
	}
	code, errCode := license.ParseActivationCode(x.UID)
	serial, errSerial := license.ParseSerialNumber(x.Serial)
	created, errCreated := parseTime(x.Creation)
	ends, errEnds := parseTime(x.Term)
	if errCode != nil || errSerial != nil || errCreated != nil || errEnds != nil {
		return license.Details{}, false
	}
	d = license.Details{
		Code: code, Serial: serial, Organization: x.Organization, Type: x.Type, Edition: x.Edition,
		Created: created, Ends: ends,
	}
	for _, f := range x.Features {
		d.Features = append(d.Features, license.Feature(f))
	}
	return d, true
}

func formatTime(t time.Time) string {
	t = t.UTC()
	switch {
	case t.IsZero():
		return ""
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format(time.DateOnly)
	default:
		return t.Format(time.RFC3339)
	}
}

func parseTime(s string) (time.Time, error) {
	switch len(s) {
	case 0:
		return time.Time{}, nil
	case len(time.DateOnly):
		return time.Parse(time.DateOnly, s)
	default:
		return time.Parse(time.RFC3339, s)
	}
}

// The feature that the procedure looks at.
const (
	ippID   = "IPP"
	ippName = "Intellectual Property"
)

// features are plausible limits for an environment of the kind, the word for
// intellectual property first.
func features(kind environment.Kind, word license.IPP) []license.Feature {
	users := "100"
	if kind == environment.Production {
		users = "2500"
	}
	fs := []license.Feature{
		{ID: ippID, Name: ippName, Limit: string(word)},
		{ID: "ActiveNamedUsers", Name: "Active Named Users", Limit: users},
		{ID: "ApplicationObjects", Name: "Application Objects", Limit: "450"},
		{ID: "SoftwareUnits", Name: "Software Units", Limit: "Unlimited"},
		{ID: "HubNodes", Name: "Front-end Servers", Limit: "2"},
		{ID: "Users", Name: "IT Users", Limit: "50"},
		{ID: "DatabaseServer", Name: "Database Server", Limit: "SQL Server Enterprise"},
		{ID: "Upgrade", Name: "Platform Upgrade", Limit: "11.0"},
		{ID: "MobileApps", Name: "Mobile Apps", Limit: "Unlimited"},
		{ID: "Zones", Name: "Deployment Zones", Limit: "Feature Unavailable"},
	}
	if kind == environment.LifeTime {
		fs = append(fs, license.Feature{ID: "LifecycleConsole", Name: "LifeTime", Limit: "Unlimited"})
	}
	return fs
}

// licenseType is the license type of an environment of the kind.
func licenseType(kind environment.Kind) string {
	switch kind {
	case environment.Production:
		return "Production"
	case environment.Quality:
		return "Quality"
	case environment.Development:
		return "Development"
	case environment.LifeTime:
		return "LifeTime"
	default:
		return "Trial"
	}
}

// ippOf returns the word for intellectual property and the other features.
func ippOf(fs []license.Feature) (word license.IPP, others []license.Feature) {
	for _, f := range fs {
		if f.ID == ippID {
			word = license.IPP(f.Limit)
			continue
		}
		others = append(others, f)
	}
	return word, others
}
