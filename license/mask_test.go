package license_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/changeover-go/changeover/license"
)

// The secrets that are searched for.
const (
	secretCode  = "CAN.ARY.SEC.RET.QQQ.WWW.ZZZ.AOU"
	secretBytes = "canary of the license bytes"
)

// spellings are forms in which a secret could slip through.
func spellings(secret string) []string {
	numbers := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
	runes := strings.Trim(fmt.Sprint([]rune(secret)), "[]")
	return []string{
		secret, secret[:len(secret)-4], secret[2 : len(secret)-6], strings.ToLower(secret),
		hex.EncodeToString([]byte(secret))[:20], strings.ToUpper(hex.EncodeToString([]byte(secret)))[:20], fmt.Sprintf("% x", secret)[:20],
		base64.StdEncoding.EncodeToString([]byte(secret))[:16], numbers[:20], strings.ReplaceAll(numbers, " ", ",")[:20], runes[:20],
		fmt.Sprintf("%#v", []byte(secret))[7:40], fmt.Sprintf("%U", []rune(secret))[1:30], fmt.Sprintf("%b", []byte(secret))[1:30],
	}
}

// silent fails if one of the secrets is in what was printed.
func silent(t *testing.T, where, printed string) {
	t.Helper()
	for _, secret := range []string{secretCode, secretBytes} {
		for _, s := range spellings(secret) {
			if strings.Contains(strings.ToLower(printed), strings.ToLower(s)) {
				t.Errorf("%s: the secret is printed: %s", where, printed)
				return
			}
		}
	}
}

// holders are values that hold the secrets in every way that a program might.
func holders(t *testing.T) map[string]any {
	file, err := license.NewFile([]byte(secretBytes))
	require.NoError(t, err)
	c := code(t, secretCode)
	type exported struct {
		Code license.ActivationCode
		File license.File
	}
	type unexported struct {
		code license.ActivationCode
		file license.File
	}
	type embedded struct {
		license.ActivationCode
		Other int
	}
	type pointers struct {
		Code *license.ActivationCode
		File *license.File
		code *license.ActivationCode
		file *license.File
	}
	type deep struct {
		inner struct{ list []unexported }
	}
	var d deep
	d.inner.list = []unexported{{c, file}}
	return map[string]any{
		"a code":                           c,
		"a pointer to a code":              &c,
		"a file":                           file,
		"a pointer to a file":              &file,
		"exported fields":                  exported{c, file},
		"a pointer to exported fields":     &exported{c, file},
		"unexported fields":                unexported{c, file},
		"a pointer to unexported fields":   &unexported{c, file},
		"an embedded code":                 embedded{c, 1},
		"pointers in fields":               pointers{&c, &file, &c, &file},
		"unexported fields deep inside":    d,
		"a list of codes":                  []license.ActivationCode{c, c},
		"a list of files":                  []license.File{file},
		"an array":                         [1]license.ActivationCode{c},
		"a map of codes":                   map[string]license.ActivationCode{"x": c},
		"a map by codes":                   map[license.ActivationCode]license.File{c: file},
		"a list of anything":               []any{c, &c, file, &file},
		"details":                          license.Details{Code: c, Organization: "x"},
		"an installed license":             license.Installed{Code: c},
		"an error about them":              fmt.Errorf("fetching %v with %s: %w", file, c, errors.New("x")),
		"an error of other verbs":          fmt.Errorf("fetching %q with %x and %d", file, c, c),
		"an error joined":                  errors.Join(fmt.Errorf("%+v", exported{c, file}), fmt.Errorf("%#v", unexported{c, file})),
		"a function that returns the code": c.String,
	}
}

func TestNoVerbOfFmtPrintsASecret(t *testing.T) {
	for name, v := range holders(t) {
		for _, verb := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!%" {
			for _, flags := range []string{"", "+", "-", "#", " ", "0", "+#", "# ", "40.30", "-3"} {
				silent(t, name+" as %"+flags+string(verb), fmt.Sprintf("%"+flags+string(verb), v))
			}
		}
		silent(t, name+" by Sprint", fmt.Sprint(v))
		silent(t, name+" by Sprintln", fmt.Sprintln(v, v))
		for _, wrong := range []string{"surplus", "%*d", "%.*d", "%[3]v", "%[x]v", "%"} {
			silent(t, name+" in the wrong format "+wrong, fmt.Sprintf(wrong, v, v))
		}
	}
}

func TestNoEncodingWritesASecret(t *testing.T) {
	for name, v := range holders(t) {
		if b, err := json.Marshal(v); err == nil {
			silent(t, name+" in JSON", string(b))
		} else {
			silent(t, name+" in JSON", err.Error())
		}
		if b, err := xml.Marshal(v); err == nil {
			silent(t, name+" in XML", string(b))
		} else {
			silent(t, name+" in XML", err.Error())
		}
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(v); err != nil {
			b.WriteString(err.Error())
		}
		silent(t, name+" in gob", b.String())
	}
	type attribute struct {
		Code license.ActivationCode `xml:"code,attr"`
		File license.File           `xml:",chardata"`
	}
	h := holders(t)
	b, err := xml.Marshal(attribute{h["a code"].(license.ActivationCode), h["a file"].(license.File)})
	require.NoError(t, err)
	silent(t, "in an XML attribute and text", string(b))
	require.Contains(t, string(b), "***.AOU")
}

func TestNoTemplatePrintsASecret(t *testing.T) {
	const source = `{{.}} {{printf "%v %s %x %q %#v" . . . . .}} {{println .}} {{html .}} {{js .}} {{urlquery .}}`
	text := template.Must(template.New("text").Parse(source))
	html := htmltemplate.Must(htmltemplate.New("html").Parse(`<a title="{{.}}" href="?{{.}}" onclick="f({{.}})">{{.}}</a><script>var x = {{.}}</script>`))
	for name, v := range holders(t) {
		var b bytes.Buffer
		if err := text.Execute(&b, v); err != nil {
			b.WriteString(err.Error())
		}
		if err := html.Execute(&b, v); err != nil {
			b.WriteString(err.Error())
		}
		silent(t, name+" in a template", b.String())
	}
}

func TestNoLoggerPrintsASecret(t *testing.T) {
	for name, v := range holders(t) {
		var b bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			l := slog.New(h).With("with", v).WithGroup("group")
			l.Info("message", "any", v, slog.Any("attr", v), slog.Group("inner", "any", v))
		}
		silent(t, name+" in slog", b.String())

		b.Reset()
		for _, enc := range []zapcore.Encoder{
			zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()),
		} {
			l := zap.New(zapcore.NewCore(enc, zapcore.AddSync(&b), zapcore.DebugLevel))
			l = l.With(zap.Any("with", v))
			fields := []zap.Field{zap.Any("any", v), zap.Reflect("reflect", v)}
			if s, ok := v.(fmt.Stringer); ok {
				fields = append(fields, zap.Stringer("stringer", s))
			}
			if err, ok := v.(error); ok {
				fields = append(fields, zap.Error(err), zap.NamedError("named", err))
			}
			l.Info("message", fields...)
			l.Sugar().Infow("message", "any", v)
			l.Sugar().Infof("%v %+v %#v", v, v, v)
			l.Sugar().Info(v)
		}
		silent(t, name+" in zap", b.String())
	}
}

// The search itself has to be able to find something.
func TestTheSearchForSecretsFindsThem(t *testing.T) {
	for _, secret := range []string{secretCode, secretBytes} {
		for _, leak := range []string{
			secret, "x" + secret + "y", fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), fmt.Sprint([]byte(secret)),
			fmt.Sprintf("%#v", []byte(secret)), fmt.Sprintf("%q", secret), fmt.Sprintf("%U", []rune(secret)), fmt.Sprintf("%b", []byte(secret)),
			base64.StdEncoding.EncodeToString([]byte(secret)), strings.ToLower(secret),
		} {
			found := false
			for _, s := range spellings(secret) {
				found = found || strings.Contains(strings.ToLower(leak), strings.ToLower(s))
			}
			require.True(t, found, leak)
		}
	}
}

func TestMasksSayWhichCodeAndFileItIs(t *testing.T) {
	h := holders(t)
	c, f := h["a code"].(license.ActivationCode), h["a file"].(license.File)
	require.Equal(t, "***.AOU #"+c.Fingerprint(), c.String())
	require.Equal(t, "*** #"+code(t, "unusual").Fingerprint(), code(t, "unusual").String())
	require.Equal(t, "license file of 27 bytes, sha256 "+f.Digest().Short(), f.String())
	for _, v := range []interface {
		fmt.Stringer
		fmt.GoStringer
		MarshalText() ([]byte, error)
		LogValue() slog.Value
	}{c, f, license.ActivationCode{}, license.File{}} {
		text, err := v.MarshalText()
		require.NoError(t, err)
		require.Equal(t, v.String(), string(text))
		require.Equal(t, v.String(), v.GoString())
		require.Equal(t, v.String(), v.LogValue().String())
		require.Equal(t, v.String(), fmt.Sprintf("%x", v))
	}
}
