package license_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/license"
)

// sample is a license of the observed structure, with nothing in it that was
// ever issued.
const sample = `<?xml version="1.0" encoding="utf-8"?>
<License Signature="bm90IHNpZ25lZA==" Schema="2" UID="CAN.ARY.SEC.RET.QQQ.WWW.ZZZ.AOU" Creation="2021-04-05" Term="2022-04-30" Warn="30" Grace="15" Organization="Acme &amp; Söhne" Type="Production" Edition="Enterprise" Serial="AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH">
  <Features>
    <Feature Id="IPP" Name="Intellectual Property" Limit="Ignore" Grace="0" Description="" />
    <Feature Id="ActiveNamedUsers" Name="Active Named Users" Limit="100" Grace="10" Description="Users" />
    <Feature Id="LifecycleConsole" Name="LifeTime" Limit="Feature Unavailable" Grace="0" Description="" />
  </Features>
  <Solutions><Solution Id="1" GUID="0" Name="System" Description=""><Components><eSpace GUID="1" Name="ECT_Provider" MaxSUs="0" /><Feature Id="IPP" Limit="Protected" /></Components></Solution></Solutions>
</License>
`

// details are what the sample says.
func details(t testing.TB) license.Details {
	return license.Details{
		Code: code(t, secretCode), Serial: "AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH",
		Organization: "Acme & Söhne", Type: "Production", Edition: "Enterprise",
		Created: time.Date(2021, 4, 5, 0, 0, 0, 0, time.UTC), Ends: time.Date(2022, 4, 30, 0, 0, 0, 0, time.UTC),
		Features: []license.Feature{
			{ID: "IPP", Name: "Intellectual Property", Limit: "Ignore"},
			{ID: "ActiveNamedUsers", Name: "Active Named Users", Limit: "100"},
			{ID: "LifecycleConsole", Name: "LifeTime", Limit: "Feature Unavailable"},
		},
	}
}

func deflate(t testing.TB, level int, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, level)
	require.NoError(t, err)
	_, err = z.Write(content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// stored makes a zlib stream without compression: much faster than deflate.
func stored(content []byte) []byte {
	stream := []byte{0x78, 0x01}
	for rest, last := content, false; !last; {
		block := rest[:min(len(rest), 65535)]
		rest = rest[len(block):]
		n, final := uint16(len(block)), byte(0)
		if last = len(rest) == 0; last {
			final = 1
		}
		stream = append(stream, final)
		stream = binary.LittleEndian.AppendUint16(stream, n)
		stream = binary.LittleEndian.AppendUint16(stream, ^n)
		stream = append(stream, block...)
	}
	return binary.BigEndian.AppendUint32(stream, adler32.Checksum(content))
}

func file(t testing.TB, content []byte) license.File {
	t.Helper()
	f, err := license.NewFile(content)
	require.NoError(t, err)
	return f
}

// inspect inspects XML as it would stand in a file.
func inspect(t testing.TB, text string) (license.Details, error) {
	t.Helper()
	return license.Inspect(file(t, deflate(t, zlib.BestCompression, []byte(text))))
}

// answers are all errors that Inspect may give.
var answers = []error{license.ErrOpaque, license.ErrTruncated, license.ErrTrailing, license.ErrTooLarge, license.ErrEmpty}

// answered fails unless err is one of the answers, exactly one, and silent.
func answered(t testing.TB, d license.Details, err error) {
	t.Helper()
	require.Zero(t, d)
	n := 0
	for _, a := range answers {
		if errors.Is(err, a) {
			n++
		}
	}
	require.Equal(t, 1, n, "%v", err)
	require.NotContains(t, err.Error(), "\n", "it is one line")
	for _, secret := range []string{"CAN.", "Acme", "Söhne", "HHH", "bm90"} {
		require.NotContains(t, err.Error(), secret)
	}
}

func TestTheObservedStructureIsRead(t *testing.T) {
	for level := zlib.HuffmanOnly; level <= zlib.BestCompression; level++ {
		d, err := license.Inspect(file(t, deflate(t, level, []byte(sample))))
		require.NoError(t, err)
		require.Equal(t, details(t), d)
		require.Equal(t, license.Ignore, d.IPP())
		require.False(t, d.Trial())
	}
}

func TestVariationsThatMeanTheSameAreRead(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"a byte order mark":           func(s string) string { return "\ufeff" + s },
		"no declaration":              func(s string) string { return s[strings.Index(s, "<License"):] },
		"a declaration in upper case": func(s string) string { return strings.Replace(s, `"utf-8"`, `"UTF-8"`, 1) },
		"Windows line ends":           func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"everything on one line":      func(s string) string { return strings.ReplaceAll(s, "\n", "") },
		"single quotes":               func(s string) string { return strings.ReplaceAll(s, `"`, `'`) },
		"comments":                    func(s string) string { return "<!-- a -->" + s[strings.Index(s, "<License"):] + "<!-- b -->" },
		"elements that nobody knows": func(s string) string {
			return strings.Replace(s, "<Features>", "<New><Feature Id='x'/></New><Features>", 1)
		},
		"attributes that nobody knows":           func(s string) string { return strings.Replace(s, " UID=", " Renewal='x' UID=", 1) },
		"an attribute UID of another vocabulary": func(s string) string { return strings.Replace(s, " UID=", " xmlns:o='urn:o' o:UID='OTHER' UID=", 1) },
		"features of another vocabulary": func(s string) string {
			return strings.Replace(s, "<Features>", "<Features><Feature xmlns='urn:o' Id='IPP' Limit='Protected'/>", 1)
		},
		"an attribute in an entity":               func(s string) string { return strings.Replace(s, "Söhne", "S&#246;hne", 1) },
		"a second list of features that has none": func(s string) string { return strings.Replace(s, "<Solutions>", "<Features/><Solutions>", 1) },
		"features that are split into two lists": func(s string) string {
			return strings.Replace(s, `<Feature Id="Act`, `</Features><Features><Feature Id="Act`, 1)
		},
		"text between the elements":                func(s string) string { return strings.Replace(s, "<Features>", "text<Features>", 1) },
		"a time instead of a date":                 func(s string) string { return strings.Replace(s, "2022-04-30", "2022-04-30T00:00:00", 1) },
		"a time with a fraction instead of a date": func(s string) string { return strings.Replace(s, "2022-04-30", "2022-04-30T00:00:00.000", 1) },
		"a time with a zone instead of a date":     func(s string) string { return strings.Replace(s, "2022-04-30", "2022-04-30T02:00:00+02:00", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			text := change(sample)
			require.NotEqual(t, sample, text)
			d, err := inspect(t, text)
			require.NoError(t, err)
			require.Equal(t, details(t), d)
		})
	}
}

func TestDatesThatAreNoneMeanThatThereIsNoEnd(t *testing.T) {
	for _, term := range []string{"", "Never", "never", "1900-01-01", "1900-01-01T00:00:00", "0001-01-01T00:00:00"} {
		d, err := inspect(t, strings.Replace(sample, "2022-04-30", term, 1))
		require.NoError(t, err, term)
		require.True(t, d.Ends.IsZero(), term)
	}
	d, err := inspect(t, strings.Replace(sample, ` Term="2022-04-30"`, "", 1))
	require.NoError(t, err)
	require.True(t, d.Ends.IsZero())
	for _, creation := range []string{"", "yesterday", "05/04/2021"} {
		d, err := inspect(t, strings.Replace(sample, "2021-04-05", creation, 1))
		require.NoError(t, err, "nothing rests on it")
		require.True(t, d.Created.IsZero())
	}
	d, err = inspect(t, strings.Replace(sample, "2022-04-30", "9999-12-31T23:59:59.9999999", 1))
	require.NoError(t, err)
	require.Equal(t, 9999, d.Ends.Year())
}

func TestAnotherStructureIsOpaque(t *testing.T) {
	replaced := func(old, by string) string {
		require.Contains(t, sample, old)
		return strings.Replace(sample, old, by, 1)
	}
	for _, c := range []struct{ name, text, says string }{
		{"nothing", "", "not well-formed XML"},
		{"blanks", " \n", "not well-formed XML"},
		{"plain text", "a license", "text outside the root"},
		{"JSON", `{"License": {"UID": "x"}}`, "text outside the root"},
		{"a comment only", "<!-- License -->", "not well-formed XML"},
		{"another root", strings.ReplaceAll(sample, "License", "Licence"), "the root of its XML is not License"},
		{"the root in lower case", strings.ReplaceAll(sample, "License", "license"), "the root of its XML is not License"},
		{"the root in another vocabulary", replaced("<License", `<License xmlns="urn:other"`), "the root of its XML is not License"},
		{"two roots", sample + `<License UID="x" Serial="y"/>`, "several roots"},
		{"a small root before the license", `<License/>` + sample[strings.Index(sample, "<License"):], "several roots"},
		{"text before the root", "x" + sample[strings.Index(sample, "<License"):], "text outside the root"},
		{"text after the root", sample + "x", "text outside the root"},
		{"a root that is not closed", strings.TrimSuffix(sample, "</License>\n"), "not well-formed XML"},
		{"elements that are closed in the wrong order", replaced("</Features>", "</Feature>"), "not well-formed XML"},
		{"an attribute without quotes", replaced(`Schema="2"`, `Schema=2`), "not well-formed XML"},
		{"bytes that are not UTF-8", replaced("Söhne", "S\xf6hne"), "not well-formed XML"},
		{"another encoding", replaced(`"utf-8"`, `"iso-8859-1"`), "not well-formed XML"},
		{"another version of XML", replaced(`"1.0"`, `"1.1"`), "not well-formed XML"},
		{"a control character", replaced("Acme", "Ac\x00me"), "not well-formed XML"},
		{"an entity that nobody defines", replaced("Acme", "&acme;"), "not well-formed XML"},
		{"a document type", replaced("<License", "<!DOCTYPE License>\n<License"), "document type declaration"},
		{"an entity from a file", replaced("<License", `<!DOCTYPE License [<!ENTITY x SYSTEM "file:///etc/hostname">]><License`), "document type declaration"},
		{"entities that multiply", replaced("<License", `<!DOCTYPE License [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><License`), "document type declaration"},
		{"a document type at the end", sample + "<!DOCTYPE License>", "document type declaration"},
		{"the same attribute of the root twice", replaced(" UID=", ` UID="OTHER" UID=`), "the same attribute twice"},
		{"the same attribute of a feature twice", replaced(`Limit="Ignore"`, `Limit="Ignore" Limit="Protected"`), "the same attribute twice"},
		{"no UID", replaced(` UID="CAN.ARY.SEC.RET.QQQ.WWW.ZZZ.AOU"`, ""), "UID: activation code is empty"},
		{"an empty UID", replaced("CAN.ARY.SEC.RET.QQQ.WWW.ZZZ.AOU", ""), "UID: activation code is empty"},
		{"an UID in lower case", replaced(" UID=", " uid="), "UID: activation code is empty"},
		{"an UID with an invisible character", replaced("CAN.", "CAN\u200b."), "UID: activation code contains"},
		{"an UID with a line feed", replaced("CAN.", "&#10;CAN."), "UID: activation code begins"},
		{"an UID of 65 characters", replaced("CAN.", strings.Repeat("C", 38)), "UID: activation code has 65 characters"},
		{"an UID of another vocabulary", replaced(" UID=", ` xmlns:o="urn:o" o:UID=`), "UID: activation code is empty"},
		{"no serial number", replaced(` Serial="AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH"`, ""), "Serial: serial number is empty"},
		{"a serial number with a control character", replaced("AAA-", "AAA&#9;-"), "Serial: serial number contains"},
		{"an end that is not a date", replaced("2022-04-30", "30.04.2022"), "Term: not a date"},
		{"an end that cannot be", replaced("2022-04-30", "2022-02-30"), "Term: not a date"},
		{"an end with blanks", replaced("2022-04-30", " 2022-04-30"), "Term: not a date"},
		{"nothing of what is needed", `<License Term="?"/>`, "attribute UID: activation code is empty; attribute Serial: serial number is empty; attribute Term: not a date"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := inspect(t, c.text)
			require.ErrorIs(t, err, license.ErrOpaque)
			require.ErrorContains(t, err, c.says)
			answered(t, d, err)
		})
	}
	for _, content := range []string{"MZ\x90\x00", sample, "PK\x03\x04" + sample, "\x1f\x8b\x08\x00", "no", "\x00\x00", strings.Repeat("\xff", 5000)} {
		d, err := license.Inspect(file(t, []byte(content)))
		require.ErrorIs(t, err, license.ErrOpaque)
		require.ErrorContains(t, err, "not a zlib stream")
		answered(t, d, err)
	}
}

func TestAFileThatIsNoneIsRefused(t *testing.T) {
	d, err := license.Inspect(license.File{})
	require.ErrorIs(t, err, license.ErrEmpty)
	answered(t, d, err)
}

func TestAFileCutAnywhereIsNotWhole(t *testing.T) {
	for _, level := range []int{zlib.NoCompression, zlib.BestCompression} {
		whole := deflate(t, level, []byte(sample))
		for n := 1; n < len(whole); n++ {
			d, err := license.Inspect(file(t, whole[:n]))
			require.ErrorIs(t, err, license.ErrTruncated, "cut after %d bytes", n)
			answered(t, d, err)
		}
	}
}

func TestAnythingAfterTheEndIsRefused(t *testing.T) {
	whole := deflate(t, zlib.BestCompression, []byte(sample))
	for b := range 256 {
		d, err := license.Inspect(file(t, append(bytes.Clone(whole), byte(b))))
		require.ErrorIs(t, err, license.ErrTrailing)
		answered(t, d, err)
	}
	d, err := license.Inspect(file(t, append(bytes.Clone(whole), whole...)))
	require.ErrorIs(t, err, license.ErrTrailing)
	require.ErrorContains(t, err, fmt.Sprintf("by %d bytes", len(whole)))
	answered(t, d, err)
}

// masks change a byte in each of its bits, and in all of them.
func masks() []byte { return []byte{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff} }

// A byte that is wrong never gives another identity, nor any other change: the
// checksum stands over everything but its own header.
func TestAFileWithAnyByteChangedIsNeverTakenForAnother(t *testing.T) {
	for _, level := range []int{zlib.NoCompression, zlib.BestCompression} {
		whole := deflate(t, level, []byte(sample))
		same := 0
		for n := range whole {
			for _, mask := range masks() {
				changed := bytes.Clone(whole)
				changed[n] ^= mask
				d, err := license.Inspect(file(t, changed))
				if err == nil {
					same++
					require.Equal(t, details(t), d, "byte %d, mask %02x", n, mask)
					continue
				}
				answered(t, d, err)
				if n >= 2 {
					require.NotErrorIs(t, err, license.ErrOpaque, "byte %d, mask %02x: damage is not another structure", n, mask)
				}
			}
		}
		require.LessOrEqual(t, same, 16, "only flags of the header and bits that fill up a byte make no difference")
	}
}

// The same within the XML, under a new checksum: whatever it then says, it
// does not crash, and what is refused is not repeated.
func TestXMLWithAnyByteChangedIsReadOrRefused(t *testing.T) {
	uid, serial := strings.Index(sample, "CAN."), strings.Index(sample, "AAA-")
	for n := range len(sample) {
		for _, mask := range masks() {
			changed := []byte(sample)
			changed[n] ^= mask
			d, err := license.Inspect(file(t, stored(changed)))
			if err != nil {
				answered(t, d, err)
				continue
			}
			want := details(t)
			if n < uid || n >= uid+31 {
				require.Equal(t, want.Code, d.Code)
			} else {
				require.NotEqual(t, want.Code, d.Code)
			}
			if n < serial || n >= serial+31 {
				require.Equal(t, want.Serial, d.Serial)
			} else {
				require.NotEqual(t, want.Serial, d.Serial)
			}
		}
	}
}

func TestFilesThatHoldTooMuchAreRefused(t *testing.T) {
	root := `<License UID="A" Serial="B">`
	padded := func(size int) string { // exactly size bytes, in texts that are not too long
		text := strings.Builder{}
		text.WriteString(root)
		for chunk := "<x>" + strings.Repeat(" ", 60_000) + "</x>"; text.Len()+len(chunk) < size-100_000; {
			text.WriteString(chunk)
		}
		for size-text.Len() > 60_000 {
			text.WriteString("<y>" + strings.Repeat(" ", 30_000) + "</y>")
		}
		text.WriteString(strings.Repeat(" ", size-text.Len()-len("</License>")) + "</License>")
		return text.String()
	}
	attributes := func(n int) string {
		b := strings.Builder{}
		for k := range n {
			fmt.Fprintf(&b, " a%d=''", k)
		}
		return b.String()
	}
	for _, c := range []struct{ name, fits, over, says string }{
		{"content", padded(16 << 20), padded(16<<20 + 1), "inflates to more than 16777216 bytes"},
		{"depth", root + strings.Repeat("<a>", 31) + strings.Repeat("</a>", 31) + "</License>", root + strings.Repeat("<a>", 32) + strings.Repeat("</a>", 32) + "</License>", "more than 32 deep"},
		{"depth without an end", "", root + strings.Repeat("<a>", 5000), "more than 32 deep"},
		{"elements", root + strings.Repeat("<a/>", 9999) + "</License>", root + strings.Repeat("<a/>", 10000) + "</License>", "more than 10000 elements"},
		{"attributes", root + "<a" + attributes(64) + "/></License>", root + "<a" + attributes(65) + "/></License>", "more than 64 attributes"},
		{"attributes of the root", "", "<License" + attributes(10_000) + "/>", ""},
		{"a value", root + "<a b='" + strings.Repeat("x", 65_000) + "'/></License>", root + "<a b='" + strings.Repeat("x", 66_000) + "'/></License>", "more than 65536 bytes"},
		{"a text", root + strings.Repeat("x", 65_000) + "</License>", root + strings.Repeat("x", 66_000) + "</License>", "more than 65536 bytes"},
		{"a name", root + "<" + strings.Repeat("a", 65_000) + "/></License>", root + "<" + strings.Repeat("a", 66_000) + "/></License>", "more than 65536 bytes"},
		{"a comment", root + "<!--" + strings.Repeat("a", 65_000) + "--></License>", root + "<!--" + strings.Repeat("a", 66_000) + "--></License>", "more than 65536 bytes"},
		{"a declaration", "", "<?xml " + strings.Repeat("a", 66_000) + "?>" + root + "</License>", "more than 65536 bytes"},
		{"a document type", "", "<!DOCTYPE " + strings.Repeat("<a>", 66_000) + ">" + root + "</License>", "more than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.fits != "" {
				_, err := inspect(t, c.fits)
				require.NoError(t, err)
			}
			d, err := inspect(t, c.over)
			require.ErrorIs(t, err, license.ErrTooLarge)
			require.ErrorContains(t, err, c.says)
			answered(t, d, err)
		})
	}
}

func TestABombIsRefusedBeforeItFillsTheMemory(t *testing.T) {
	const size = 128 << 20
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	require.NoError(t, err)
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	for range size / len(blanks) {
		_, err := z.Write(blanks)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	bomb := file(t, b.Bytes())

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = license.Inspect(bomb)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, license.ErrTooLarge)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size))
}

func TestTheWordOfIntellectualPropertyIsFound(t *testing.T) {
	ipp := license.Feature{ID: "IPP", Name: "Intellectual Property", Limit: "Protected"}
	users := license.Feature{ID: "Users", Name: "Users", Limit: "Ignore"}
	for _, c := range []struct {
		name     string
		features []license.Feature
		want     license.IPP
	}{
		{"by its ID", []license.Feature{users, {ID: "IPP", Limit: "Ignore"}}, license.Ignore},
		{"by its name, as on a page", []license.Feature{users, {Name: "Intellectual Property", Limit: "Unprotected"}}, license.Unprotected},
		{"by its name in lower case", []license.Feature{{Name: "intellectual property", Limit: "Protected"}}, license.Protected},
		{"an unknown word as it is", []license.Feature{{ID: "IPP", Limit: "ignore "}}, "ignore "},
		{"twice with the same word", []license.Feature{ipp, users, ipp}, license.Protected},
		{"twice with different words", []license.Feature{ipp, {ID: "IPP", Limit: "Ignore"}, ipp}, ""},
		{"once without a word and once with one", []license.Feature{{ID: "IPP"}, ipp}, ""},
		{"not at all", []license.Feature{users}, ""},
		{"in no features", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, license.Details{Features: c.features}.IPP()) })
	}
}

func TestATrialLicenseIsKnownByItsType(t *testing.T) {
	for _, typ := range []string{"Trial", "TRIAL", " trial "} {
		require.True(t, license.Details{Type: typ}.Trial(), typ)
	}
	for _, typ := range []string{"", "Production", "Industrial", "Trialed"} {
		require.False(t, license.Details{Type: typ}.Trial(), typ)
	}
}

// FuzzInspect takes files as they are, and XML that is put into a file: the
// checksum would keep everything else out.
func FuzzInspect(f *testing.F) {
	whole := deflate(f, zlib.BestCompression, []byte(sample))
	for _, content := range [][]byte{whole, whole[:len(whole)/2], append(bytes.Clone(whole), 0), []byte("\x78\xda"), []byte("MZ"), deflate(f, 9, nil)} {
		f.Add(content, false)
	}
	for _, text := range []string{sample, "<License/>", "<License UID='A' Serial='B' Term='Never'/>", "<a><b></a>", "<!DOCTYPE x><License/>", "<License UID='A' UID='B' Serial='C'/>"} {
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, content []byte, wrap bool) {
		if wrap {
			content = stored(content)
		}
		if len(content) == 0 {
			return
		}
		l, err := license.NewFile(content)
		if err != nil {
			return
		}
		d, err := license.Inspect(l)
		if err != nil {
			for _, a := range answers {
				if errors.Is(err, a) {
					return
				}
			}
			t.Fatalf("an answer that nobody knows: %v", err)
		}
		if _, err := license.ParseActivationCode(d.Code.Reveal()); err != nil {
			t.Fatal(err)
		}
		if _, err := license.ParseSerialNumber(string(d.Serial)); err != nil {
			t.Fatal(err)
		}
		// What was read says the same when it is written anew.
		again, err := license.Inspect(file(t, stored([]byte(write(d)))))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(d) || again.Code != d.Code {
			t.Fatalf("%v became %v: %v", d, again, err)
		}
		for _, lack := range license.Compare(d.Features, again.Features) {
			t.Fatal(lack)
		}
	})
}

// write is the opposite of Inspect.
func write(d license.Details) string {
	var b strings.Builder
	attribute := func(name, value string) {
		b.WriteString(" " + name + `="`)
		if err := xml.EscapeText(&b, []byte(value)); err != nil {
			b.WriteString(err.Error())
		}
		b.WriteString(`"`)
	}
	date := func(name string, at time.Time) {
		if !at.IsZero() {
			attribute(name, at.Format(time.RFC3339Nano))
		}
	}
	io.WriteString(&b, "<License")
	attribute("UID", d.Code.Reveal())
	attribute("Serial", string(d.Serial))
	attribute("Organization", d.Organization)
	attribute("Type", d.Type)
	attribute("Edition", d.Edition)
	date("Creation", d.Created)
	date("Term", d.Ends)
	b.WriteString("><Features>")
	for _, f := range d.Features {
		b.WriteString("<Feature")
		attribute("Id", f.ID)
		attribute("Name", f.Name)
		attribute("Limit", f.Limit)
		b.WriteString("/>")
	}
	b.WriteString("</Features></License>")
	return b.String()
}

func ExampleInspect() {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	io.WriteString(z, `<License UID="ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU" Serial="AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH" Type="Production" Term="2022-04-30">
		<Features><Feature Id="IPP" Name="Intellectual Property" Limit="Ignore"/></Features></License>`)
	z.Close()
	whole, _ := license.NewFile(b.Bytes())
	half, _ := license.NewFile(b.Bytes()[:100])
	other, _ := license.NewFile([]byte("another format"))

	d, err := license.Inspect(whole)
	fmt.Println(d.Code, d.Serial, d.Type, d.Ends.Format(time.DateOnly), d.IPP(), err)
	_, err = license.Inspect(half)
	fmt.Println(err)
	_, err = license.Inspect(other)
	fmt.Println(errors.Is(err, license.ErrOpaque), err)
	// Output:
	// ***.AOU #aa095f34 AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH Production 2022-04-30 Ignore <nil>
	// the license file was not downloaded whole, or was damaged on the way: it ends after 100 bytes, in the middle
	// true the license file cannot be inspected: it is not a zlib stream
}
