//go:build unix

package command_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

var quality = environment.Environment{
	Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: "QQQ-AAA-BBB-CCC-DDD-EEE-FFF-111",
}

const activationCode = "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"

func code(t testing.TB) license.ActivationCode {
	t.Helper()
	c, err := license.ParseActivationCode(activationCode)
	require.NoError(t, err)
	return c
}

func licenseFile(t testing.TB) license.File {
	t.Helper()
	return fake.LicenseFile(license.Details{Code: code(t), Serial: quality.Serial}, "")
}

// unknown is what a call means that nobody knows the outcome of; a condition
// and nil, which is done, are the other meanings.
var unknown = adapters.ErrUncertain

// means checks what an error means.
func means(t *testing.T, want, err error) {
	t.Helper()
	switch condition := adapters.ConditionOf(err); {
	case want == nil:
		require.NoError(t, err)
	case want == unknown:
		require.ErrorIs(t, err, adapters.ErrUncertain)
		require.Nil(t, condition)
	default:
		require.Same(t, want, condition, "%v", err)
	}
}

// nothingIsLeft checks that this process has no child, dead or alive, and as
// many open files as before.
func nothingIsLeft(t *testing.T) func() {
	t.Helper()
	before := openFiles(t)
	return func() {
		t.Helper()
		_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		require.ErrorIs(t, err, syscall.ECHILD, "a child is left")
		require.ElementsMatch(t, before, openFiles(t))
	}
}

// openFiles lists what is open, as far as the system tells.
func openFiles(t *testing.T) []string {
	t.Helper()
	var open []string
	for fd := range 100 {
		if at, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil && !strings.HasPrefix(at, "anon_inode:") {
			open = append(open, fmt.Sprint(fd, " ", at))
		}
	}
	return open
}

func says(stdout, stderr string, exit int) []string {
	return []string{"behave", "says", strconv.Quote(stdout), stderr, strconv.Itoa(exit)}
}

func TestEveryWayToAnswerHasOneMeaning(t *testing.T) {
	left := nothingIsLeft(t)
	note := func(more string) string { return `{"version":1,"method":"UploadLicense"` + more + `}` }
	for _, tt := range []struct {
		name string
		args []string
		want error
		text string // in the error
	}{
		{"one complete answer", says(uploaded, "", 0), nil, ""},
		{"one complete answer with space around it", says("\r\n\t "+uploaded+"\r\n\n", "a note\n", 0), nil, ""},
		{"an answer with a testimony", says(note(`,"testimony":[{"by":"Ada","at":"2026-03-01T09:00:00Z","text":"seen"}]`), "", 0), nil, ""},
		{"nothing", says("", "", 0), unknown, "it is empty"},
		{"space", says(" \n", "", 0), unknown, "it is empty"},
		{"half an answer", says(uploaded[:20], "", 0), unknown, "not one JSON text"},
		{"an answer without its last brace", says(uploaded[:len(uploaded)-1], "", 0), unknown, "not one JSON text"},
		{"garbage", says("\x00\x01\x02\xff", "", 0), unknown, "not UTF-8"},
		{"two answers", says(uploaded+"\n"+uploaded, "", 0), unknown, "not one JSON text"},
		{"an answer and a word", says(uploaded+"\ndone", "", 0), unknown, "not one JSON text"},
		{"a word and an answer", says("uploading\n"+uploaded, "", 0), unknown, "not one JSON text"},
		{"a web page", says("<!DOCTYPE html><html><body>Log in</body></html>", "", 0), unknown, "not one JSON text"},
		{"a byte order mark before the answer", says("\ufeff"+uploaded, "", 0), unknown, "byte order mark"},
		{"UTF-16", says(string([]byte{0xff, 0xfe})+wide(uploaded), "", 0), unknown, "not UTF-8"},
		{"a list", says("["+uploaded+"]", "", 0), unknown, "it is not an object"},
		{"a word", says(`"done"`, "", 0), unknown, "it is not an object"},
		{"null", says("null", "", 0), unknown, "it is not an object"},
		{"no version", says(`{"method":"UploadLicense"}`, "", 0), unknown, "version is missing"},
		{"another version", says(`{"version":2,"method":"UploadLicense"}`, "", 0), unknown, "version 2, not 1"},
		{"a version that is a word", says(`{"version":"1","method":"UploadLicense"}`, "", 0), unknown, "version is not an integer"},
		{"a version with a fraction", says(`{"version":1.5,"method":"UploadLicense"}`, "", 0), unknown, "not what the schema says"},
		{"no method", says(`{"version":1}`, "", 0), unknown, "method is missing"},
		{"another method's answer", says(`{"version":1,"method":"PauseDeployments"}`, "", 0), unknown, "another method: PauseDeployments"},
		{"another method's fields", says(note(`,"before":"7","after":"7"`), "", 0), unknown, "before is not in the schema"},
		{"an unknown key", says(note(`,"ok":false`), "", 0), unknown, "ok is not in the schema"},
		{"a key in another case", says(`{"version":1,"Method":"UploadLicense"}`, "", 0), unknown, "method is spelled in another case"},
		{"a key twice", says(note(`,"method":"UploadLicense"`), "", 0), unknown, "method stands there twice"},
		{"null in place of a value", says(`{"version":1,"method":null}`, "", 0), unknown, "method is not a string"},
		{"a testimony without a name", says(note(`,"testimony":[{"at":"2026-03-01T09:00:00Z"}]`), "", 0), unknown, "testimony[0].by is missing"},
		{"a testimony at no time", says(note(`,"testimony":[{"by":"Ada","at":"yesterday"}]`), "", 0), unknown, "testimony[0].at is not a time"},
		{"a lost character", says(`{"version":1,"method":"\ud800"}`, "", 0), unknown, "was lost"},
		{"an answer and 9 MiB of space", []string{"behave", "writes", " ", "9437184"}, unknown, "too large"},
		{"an answer and 9 MiB of garbage", []string{"behave", "writes", "\x01", "9437184"}, unknown, "too large"},
		{"output without an end", []string{"behave", "forever"}, unknown, "too large"},

		{"exit code 1", says("", "no such host\n", 1), unknown, "exit code 1: no such host"},
		{"exit code 1 after an answer", says(uploaded, "", 1), unknown, "exit code 1"},
		{"exit code 2", says("", "", 2), unknown, "exit code 2"},
		{"an exit code below the conditions", says("", "", 199), unknown, "exit code 199"},
		{"an exit code above the conditions", says("", "", 200+len(adapters.Conditions())), unknown, "exit code 218"},
		{"exit code 255", says("", "", 255), unknown, "exit code 255"},
		{"a condition with a reason", says("", "opening\nthe file is for another server\n", 203), adapters.ErrWrongEnvironment, "the license file is for another serial number: the file is for another server"},
		{"a condition with a reason and no line feed", says("", "opening\r\nlocked", 209), adapters.ErrBusy, ": locked"},
		{"a condition with blank lines behind the reason", says("", "locked\r\n\n \n", 209), adapters.ErrBusy, ": locked"},
		{"a condition without a reason", says("", "", 204), adapters.ErrRejected, "the program: UploadLicense of \"Quality\": Service Center turned the license down"},
		{"a condition with a testimony", says(note(`,"testimony":[{"by":"Ada","at":"2026-03-01T09:00:00Z"}]`), "", 204), adapters.ErrRejected, ""},
		{"a condition with the head of an answer", says(note(""), "", 204), adapters.ErrRejected, ""},
		{"a condition with a word on stdout", says("done", "", 204), unknown, "rejected"},
		{"a condition with fields of an answer", says(note(`,"before":"7"`), "", 204), unknown, "rejected"},
		{"a condition with half an answer", says(uploaded[:10], "", 204), unknown, "rejected"},
		{"a condition with another method's answer", says(`{"version":1,"method":"Ask"}`, "", 204), unknown, "rejected"},

		{"killed after the answer", []string{"behave", "signals itself", "9"}, unknown, "killed"},
		{"terminated after the answer", []string{"behave", "signals itself", "15"}, unknown, "terminated"},
		{"aborted after the answer", []string{"behave", "signals itself", "6"}, unknown, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := program(t, options(t, tt.args...)).UploadLicense(t.Context(), quality, licenseFile(t))
			means(t, tt.want, err)
			if err != nil {
				require.ErrorContains(t, err, tt.text)
				require.ErrorContains(t, err, `the program: UploadLicense of "Quality": `)
			}
		})
	}
	left()
}

func TestEveryConditionHasItsExitCode(t *testing.T) {
	for i, c := range adapters.Conditions() {
		t.Run(c.Condition(), func(t *testing.T) {
			err := program(t, options(t, says("", "the reason\n", 200+i)...)).RegisterSerial(t.Context(), code(t), quality)
			means(t, c, err)
			require.EqualError(t, err, `the program: RegisterSerial of "Quality": `+c.Error()+": the reason")
		})
	}
}

func TestAProgramThatCannotBeStartedHasDoneNothing(t *testing.T) {
	left := nothingIsLeft(t)
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
		return path
	}
	for _, tt := range []struct {
		name   string
		change func(o *command.Options)
	}{
		{"a program that is not there", func(o *command.Options) { o.Path = filepath.Join(dir, "missing") }},
		{"a program that is not executable", func(o *command.Options) { o.Path = write("text", "#!/bin/sh\nexit 0\n", 0o600) }},
		{"a folder", func(o *command.Options) { o.Path = dir }},
		{"a file that is no program", func(o *command.Options) { o.Path = write("data", "\x00\x01\x02", 0o700) }},
		{"a script whose interpreter is not there", func(o *command.Options) { o.Path = write("script", "#!"+dir+"/missing\n", 0o700) }},
		{"a working folder that is not there", func(o *command.Options) { o.Dir = filepath.Join(dir, "nowhere") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, says(uploaded, "", 0)...)
			tt.change(&o)
			err := program(t, o).UploadLicense(t.Context(), quality, licenseFile(t))
			means(t, adapters.ErrNotReached, err)
			require.ErrorContains(t, err, "the program was not started")
		})
	}
	t.Run("a call whose context is done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := program(t, options(t, says(uploaded, "", 0)...)).UploadLicense(ctx, quality, licenseFile(t))
		means(t, adapters.ErrNotReached, err)
		require.ErrorIs(t, err, context.Canceled)
	})
	left()
}

func TestAProgramThatHangsIsEnded(t *testing.T) {
	left := nothingIsLeft(t)
	large, err := license.NewFile(bytes.Repeat([]byte{0, 1, 2, 3}, license.MaxFileBytes/4))
	require.NoError(t, err)
	for _, how := range []string{"", "after closing stdout", "deaf to signals", "deaf to signals, after closing stdout"} {
		files := []license.File{licenseFile(t)}
		if how == "" {
			files = append(files, large) // it does not fit into a pipe
		}
		for _, f := range files {
			t.Run(fmt.Sprintf("%s, %d bytes, by the time", how, f.Size()), func(t *testing.T) {
				o := options(t, "behave", "hangs", how)
				o.Timeout = 100 * time.Millisecond
				began := time.Now()
				err := program(t, o).UploadLicense(t.Context(), quality, f)
				means(t, unknown, err)
				require.ErrorContains(t, err, "no answer within 100ms")
				require.Less(t, time.Since(began), 5*time.Second)
			})
			t.Run(fmt.Sprintf("%s, %d bytes, by its caller", how, f.Size()), func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				o := options(t, "behave", "hangs", how)
				o.Log = func(string) { cancel() } // it has begun
				err := program(t, o).UploadLicense(ctx, quality, f)
				means(t, unknown, err)
				require.ErrorIs(t, err, context.Canceled)
			})
		}
	}
	left()
}

func TestAProgramThatDoesNotReadItsRequestHasNotAnswered(t *testing.T) {
	large, err := license.NewFile(bytes.Repeat([]byte{0, 1, 2, 3}, license.MaxFileBytes/4))
	require.NoError(t, err)
	err = program(t, options(t, "behave", "does not read")).UploadLicense(t.Context(), quality, large)
	means(t, unknown, err)
	require.ErrorContains(t, err, "without having read its request")
}

// family lets a program leave a child behind, and returns a connection that is
// open for as long as the child lives.
func family(t *testing.T, how string) (child net.Conn, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	p := program(t, options(t, "behave", "leaves behind", how, listener.Addr().String()))
	p.SetPatience(300 * time.Millisecond)
	result := make(chan error, 1)
	go func() { result <- p.UploadLicense(ctx, quality, licenseFile(t)) }()
	var parent net.Conn
	for range 2 {
		conn, err := listener.Accept()
		require.NoError(t, err)
		who := make([]byte, 1)
		_, err = conn.Read(who)
		require.NoError(t, err)
		if who[0] == 'c' {
			child = conn
		} else {
			parent = conn
		}
	}
	require.NoError(t, parent.Close()) // go on
	if strings.Contains(how, "and hangs") {
		cancel()
	}
	return child, <-result
}

func TestWhatAProgramLeavesBehind(t *testing.T) {
	left := nothingIsLeft(t)
	for _, tt := range []struct {
		name  string
		lives bool
		want  error
	}{
		{"a child", false, nil},
		{"a child that holds the output", false, unknown},
		{"a child in a session of its own", true, nil}, // nothing can be done
		{"a child in a session of its own that holds the output", true, unknown},
		{"a child, and hangs", false, unknown},
		{"a child that holds the output, and hangs", false, unknown},
		{"a child in a session of its own that holds the output, and hangs", true, unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			child, err := family(t, tt.name)
			require.Less(t, time.Since(began), 5*time.Second)
			defer child.Close()
			means(t, tt.want, err)
			if strings.HasSuffix(tt.name, "holds the output") {
				require.ErrorContains(t, err, "holds its output open")
			}
			wait := 5 * time.Second
			if tt.lives {
				wait = 100 * time.Millisecond
			}
			require.NoError(t, child.SetReadDeadline(time.Now().Add(wait)))
			_, err = child.Read(make([]byte, 1))
			require.Equal(t, tt.lives, errors.Is(err, os.ErrDeadlineExceeded), "%v", err)
		})
	}
	left()
}

func TestAProgramIsGivenNothingButWhatTheOptionsSay(t *testing.T) {
	t.Setenv("CHANGEOVER_SECRET", "inherited")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	other, err := os.Create(filepath.Join(dir, "other"))
	require.NoError(t, err)
	defer other.Close()
	lock, err := os.Create(filepath.Join(dir, "LOCK"))
	require.NoError(t, err)
	defer lock.Close()
	path, err := os.Executable()
	require.NoError(t, err)
	for _, tt := range []struct {
		name string
		o    command.Options
		want []string
	}{
		{"nothing", command.Options{}, []string{"folder: " + filepath.Dir(path)}},
		{"an environment, a folder and a lock", command.Options{Env: []string{"GORACE=atexit_sleep_ms=0", "B=two words"}, Dir: dir, Lock: lock},
			[]string{"folder: " + dir, "environment: GORACE=atexit_sleep_ms=0", "environment: B=two words", "open: 3 " + lock.Name()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			tt.o.Path, tt.o.Args = path, []string{"behave", "reports"}
			tt.o.Log = func(line string) {
				switch {
				case line == "argument: "+path, line == "argument: behave", line == "argument: reports":
				case strings.HasPrefix(line, "open:") && !strings.Contains(line, dir): // the test was started with it
				case strings.HasPrefix(line, "warning: GOCOVERDIR not set"): // as little as everything else
				default:
					got = append(got, line)
				}
			}
			p, err := command.New(tt.o)
			require.NoError(t, err)
			require.NoError(t, p.UploadLicense(t.Context(), quality, licenseFile(t)))
			require.Equal(t, tt.want, got)
		})
	}
}

func TestNothingThatAProgramWasGivenIsShown(t *testing.T) {
	file := licenseFile(t)
	text, err := license.NewFile([]byte("these are the bytes of a license file that nobody must ever see printed"))
	require.NoError(t, err)
	pieces := map[string]bool{}
	for _, f := range []license.File{file, text} {
		b := f.Bytes()
		for _, form := range []string{string(b), strconv.Quote(string(b)), hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), fmt.Sprint(b)} {
			form = command.Bare(form)
			for i := 0; i+40 <= len(form); i++ {
				pieces[form[i:i+40]] = true
			}
		}
	}
	var names []string
	for name := range forms() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, tt := range []struct {
			where string
			exit  int
		}{{"stdout", 0}, {"stdout", 204}, {"stderr", 204}} {
			t.Run(fmt.Sprintf("%s, on %s, with exit code %d", name, tt.where, tt.exit), func(t *testing.T) {
				t.Parallel()
				var shown strings.Builder
				o := options(t, "behave", "betrays", name, tt.where, strconv.Itoa(tt.exit))
				o.Log = func(line string) { shown.WriteString(line + "\n") }
				p := program(t, o)
				ctx := adapters.WithWitness(t.Context(), func(said adapters.Testimony) { shown.WriteString(said.By + said.Text) })
				for _, err := range []error{
					p.UploadLicense(ctx, quality, file), p.UploadLicense(ctx, quality, text), p.RegisterSerial(ctx, code(t), quality),
				} {
					require.Error(t, err)
					shown.WriteString(err.Error() + "\n")
				}
				all := command.Bare(shown.String())
				require.NotContains(t, all, command.Bare(activationCode))
				require.NotContains(t, shown.String(), "\x1b")
				require.NotContains(t, strings.ReplaceAll(shown.String(), `\u0000`, ""), activationCode[:16])
				for i := 0; i+40 <= len(all); i++ {
					if pieces[all[i:i+40]] {
						t.Fatalf("a piece of a license file is shown: %q", shown.String())
					}
				}
			})
		}
	}
}

func TestWhatAProgramPrintsIsSafeToPrint(t *testing.T) {
	var log []string
	o := options(t, says("", "red \x1b[31m\u202eevil\nlast \x1b[2J\a\u202ereason\x9b\n", 204)...)
	o.Log = func(line string) { log = append(log, line) }
	err := program(t, o).UploadLicense(t.Context(), quality, licenseFile(t))
	means(t, adapters.ErrRejected, err)
	require.Equal(t, []string{`red \u001b[31m\u202eevil`, `last \u001b[2J\u0007\u202ereason\x9b`}, log)
	require.ErrorContains(t, err, `: last \u001b[2J\u0007\u202ereason\x9b`)

	err = program(t, options(t, says("{\"\x1b[31m\u202e\":1}", "", 0)...)).UploadLicense(t.Context(), quality, licenseFile(t))
	means(t, unknown, err)
	require.NotContains(t, err.Error(), "\u202e")

	err = program(t, options(t, says(`{"\u001b[31m\u202e":1}`, "", 0)...)).UploadLicense(t.Context(), quality, licenseFile(t))
	means(t, unknown, err)
	require.ErrorContains(t, err, `\u001b[31m\u202e is not in the schema`)
}

func TestLongOutputOfAProgramIsCut(t *testing.T) {
	var log []string
	keep := func(line string) { log = append(log, line) }
	o := options(t, says(uploaded, strings.Repeat("x", 20_000)+"\n"+strings.Repeat("ä", 20_000)+"\nend", 0)...)
	o.Log = keep
	require.NoError(t, program(t, o).UploadLicense(t.Context(), quality, licenseFile(t)))
	require.Len(t, log, 3)
	for _, line := range log {
		require.LessOrEqual(t, len([]rune(line)), 200)
	}
	require.Equal(t, printable.Text(strings.Repeat("x", 4096)+"…"), log[0], "no more of a line is kept")
	require.Equal(t, "end", log[2])

	log = nil
	o = options(t, "behave", "chatters", strconv.Itoa(command.MaxLines+500))
	o.Log = keep
	require.NoError(t, program(t, o).UploadLicense(t.Context(), quality, licenseFile(t)))
	require.Len(t, log, command.MaxLines+1)
	require.Equal(t, "(more lines are not logged)", log[command.MaxLines])
}

func TestTestimoniesOfAProgramAreHandedOn(t *testing.T) {
	said := `,"testimony":[{"by":"Ada\u001b","at":"2026-03-01T09:00:00Z","text":"saw ` + activationCode + `"},{"by":"Grace","at":"2026-03-01T10:00:00+01:00"}]}`
	want := []adapters.Testimony{
		{By: `Ada\u001b`, At: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Text: "saw " + code(t).String()},
		{By: "Grace", At: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)},
	}
	for _, exit := range []int{0, 1, 204} {
		t.Run("exit code "+strconv.Itoa(exit), func(t *testing.T) {
			var mu sync.Mutex
			var got []adapters.Testimony
			ctx := adapters.WithWitness(t.Context(), func(s adapters.Testimony) {
				mu.Lock()
				defer mu.Unlock()
				s.At = s.At.UTC()
				got = append(got, s)
			})
			_ = program(t, options(t, says(strings.TrimSuffix(uploaded, "}")+said, "", exit)...)).UploadLicense(ctx, quality, licenseFile(t))
			require.Equal(t, want, got)
		})
	}
}
