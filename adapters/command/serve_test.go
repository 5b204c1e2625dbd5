package command_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A center is a ServiceCenter that answers as it is told.
type center struct {
	adapters.ServiceCenter
	answer func(ctx context.Context) error
}

func (c center) UploadLicense(ctx context.Context, _ environment.Environment, _ license.File) error {
	return c.answer(ctx)
}

const site = `{"name":"Quality","kind":"quality","serviceCenter":"https://qa.example.test","serial":"QQQ"}`

const uploadRequest = `{"version":1,"port":"ServiceCenter","method":"UploadLicense","environment":` + site + `,"file":"bGljZW5zZQ=="}`

func serve(t testing.TB, set adapters.Set, in io.Reader) (exit int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	exit = command.Serve(t.Context(), set, in, &o, &e)
	return exit, o.String(), e.String()
}

func TestServeAnswers(t *testing.T) {
	usual := "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"
	testify := func(ctx context.Context) {
		adapters.Testify(ctx, adapters.Testimony{By: "Ada", At: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Text: "seen"})
	}
	for _, tt := range []struct {
		name        string
		answer      func(ctx context.Context) error
		exit        int
		out, errOut string
	}{
		{"done", func(context.Context) error { return nil }, 0, `{"version":1,"method":"UploadLicense"}` + "\n", ""},
		{"done, with a testimony", func(ctx context.Context) error { testify(ctx); return nil }, 0,
			`{"version":1,"method":"UploadLicense","testimony":[{"by":"Ada","at":"2026-03-01T09:00:00Z","text":"seen"}]}` + "\n", ""},
		{"a condition", func(context.Context) error { return adapters.ErrRejected }, 204, "", adapters.ErrRejected.Error() + "\n"},
		{"a condition, with a testimony", func(ctx context.Context) error { testify(ctx); return adapters.ErrRejected }, 204,
			`{"version":1,"method":"UploadLicense","testimony":[{"by":"Ada","at":"2026-03-01T09:00:00Z","text":"seen"}]}` + "\n", adapters.ErrRejected.Error() + "\n"},
		{"a plain error", func(context.Context) error { return errors.New("reset\nby \x1bpeer") }, 1, "", "reset\\u000aby \\u001bpeer\n"},
		{"an uncertain condition", func(context.Context) error { return fmt.Errorf("%w: %w", adapters.ErrUncertain, adapters.ErrRejected) }, 1, "",
			adapters.ErrUncertain.Error() + ": " + adapters.ErrRejected.Error() + "\n"},
		{"an error that quotes a code", func(context.Context) error { return errors.New("code " + usual) }, 1, "", "code ***.AOU #"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exit, out, errOut := serve(t, adapters.Set{ServiceCenter: center{answer: tt.answer}}, strings.NewReader(uploadRequest))
			require.Equal(t, tt.exit, exit)
			require.Equal(t, tt.out, out)
			require.True(t, strings.HasPrefix(errOut, tt.errOut), errOut)
			require.NotContains(t, errOut, usual)
			require.LessOrEqual(t, strings.Count(errOut, "\n"), 1)
		})
	}
}

func TestServeDoesNothingWithARequestThatItCannotRead(t *testing.T) {
	unsupported := command.ExitCode(adapters.ErrUnsupported)
	replace := func(old, now string) string {
		require.Contains(t, uploadRequest, old)
		return strings.Replace(uploadRequest, old, now, 1)
	}
	for _, tt := range []struct {
		name string
		text string
		exit int
	}{
		{"nothing", "", 1},
		{"half a request", uploadRequest[:len(uploadRequest)/2], 1},
		{"a request without its last brace", uploadRequest[:len(uploadRequest)-1], 1},
		{"two requests", uploadRequest + uploadRequest, 1},
		{"something behind the request", uploadRequest + " x", 1},
		{"a request that is too large", uploadRequest + strings.Repeat(" ", command.MaxMessage), 1},
		{"another version", replace(`"version":1`, `"version":2`), unsupported},
		{"another port", replace("ServiceCenter", "LicensePortal"), unsupported},
		{"an unknown port", replace("ServiceCenter", "Vendor"), unsupported},
		{"an unknown method", replace("UploadLicense", "RemoveLicense"), unsupported},
		{"a port that the set does not have", `{"version":1,"port":"LifeTime","method":"Registered"}`, unsupported},
		{"a method that the port does not have", `{"version":1,"port":"ServiceCenter","method":"BackupLicense","environment":` + site + `}`, unsupported},
		{"a request without a file", replace(`,"file":"bGljZW5zZQ=="`, ""), 1},
		{"an empty file", replace("bGljZW5zZQ==", ""), 1},
		{"a web page", replace("bGljZW5zZQ==", "PGh0bWw+PC9odG1sPg=="), 1},
		{"a file that is not base64", replace("bGljZW5zZQ==", "license!"), 1},
		{"a field that this version does not know", replace(`"file"`, `"force":true,"file"`), 1},
		{"a version in another case", replace(`"version"`, `"Version"`), 1},
		{"a method that is written twice", replace(`"method":"UploadLicense"`, `"method":"InstalledLicense","method":"UploadLicense"`), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exit, out, errOut := serve(t, adapters.Set{ServiceCenter: center{answer: func(context.Context) error {
				t.Error("it was called")
				return nil
			}}}, strings.NewReader(tt.text))
			require.Equal(t, tt.exit, exit, errOut)
			require.Empty(t, out)
			require.Equal(t, 1, strings.Count(errOut, "\n"))
			require.NotContains(t, errOut, "bGljZW5zZQ")
		})
	}
	t.Run("input that breaks off", func(t *testing.T) {
		exit, out, _ := serve(t, adapters.Set{}, iotest.ErrReader(io.ErrUnexpectedEOF))
		require.Equal(t, 1, exit)
		require.Empty(t, out)
	})
}

func TestServeDoesNotSayDoneWhenItsAnswerIsLost(t *testing.T) {
	var errOut bytes.Buffer
	exit := command.Serve(t.Context(), worldtest.New(t).Set, strings.NewReader(`{"version":1,"port":"LifeTime","method":"Registered"}`), full{}, &errOut)
	require.Equal(t, 1, exit)
	require.Contains(t, errOut.String(), "no space")
}

// full is a pipe whose reader has gone.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }
