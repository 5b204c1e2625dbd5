package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/inbox"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sourceCode = "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"
	targetCode = "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU"
	serial     = license.SerialNumber("AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH")
	other      = license.SerialNumber("OTH-BBB-CCC-DDD-EEE-FFF-GGG-HHH")
)

var (
	production = environment.Environment{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: serial}
	today      = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
)

func activationCode(t testing.TB, text string) license.ActivationCode {
	t.Helper()
	c, err := license.ParseActivationCode(text)
	require.NoError(t, err)
	return c
}

// issued is the content of a license file.
func issued(t testing.TB, code string, s license.SerialNumber, change func(*license.Details)) []byte {
	t.Helper()
	d := license.Details{Code: activationCode(t, code), Serial: s, Organization: "Acme", Type: "Production", Created: today.AddDate(0, -1, 0), Ends: today.AddDate(1, 0, 0)}
	if change != nil {
		change(&d)
	}
	f := fake.LicenseFile(d, "")
	require.False(t, f.IsZero())
	return f.Bytes()
}

func created(at time.Time) func(*license.Details) {
	return func(d *license.Details) { d.Created = at }
}

// A folder is an inbox with its folder.
type folder struct {
	*inbox.Inbox
	t   *testing.T
	dir string
}

func newFolder(t *testing.T, next adapters.LicensePortal) folder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "inbox")
	require.NoError(t, os.Mkdir(dir, 0o700))
	b, err := inbox.New(dir, &inbox.Options{Next: next, Now: func() time.Time { return today }})
	require.NoError(t, err)
	return folder{b, t, dir}
}

func (f folder) put(name string, content []byte) {
	f.t.Helper()
	require.NoError(f.t, os.WriteFile(filepath.Join(f.dir, name), content, 0o600))
}

// fetch fetches the source license of production.
func (f folder) fetch() (license.File, error) {
	return f.FetchLicense(f.t.Context(), activationCode(f.t, sourceCode), production)
}

// refused checks that nothing was found, and returns what is said about it.
func (f folder) refused(want *adapters.Condition) string {
	f.t.Helper()
	file, err := f.fetch()
	require.True(f.t, file.IsZero())
	require.Same(f.t, want, adapters.ConditionOf(err), "%v", err)
	require.Equal(f.t, printable.Whole(err.Error()), err.Error())
	require.NotContains(f.t, err.Error(), sourceCode)
	require.NotContains(f.t, err.Error(), targetCode)
	return err.Error()
}

func TestTheOneFileThatFitsIsTakenWhateverItsName(t *testing.T) {
	right, wrong, foreign := issued(t, sourceCode, serial, nil), issued(t, targetCode, serial, nil), issued(t, sourceCode, other, nil)
	names := []string{"license.lic", "Production.lic", string(serial) + ".lic"}
	for n := range len(names) { // every name for every content
		f := newFolder(t, nil)
		f.put(names[n], right)
		f.put(names[(n+1)%3], wrong)
		f.put(names[(n+2)%3], foreign)
		f.put("readme.txt", []byte("no license"))
		got, err := f.fetch()
		require.NoError(t, err)
		require.Equal(t, right, got.Bytes())
		got, err = f.FetchLicense(t.Context(), activationCode(t, targetCode), production)
		require.NoError(t, err)
		require.Equal(t, wrong, got.Bytes())
		is, err := f.SerialRegistered(t.Context(), activationCode(t, sourceCode), production)
		require.NoError(t, err)
		require.True(t, is)
	}
}

func TestTheSameContentTwiceIsOneFile(t *testing.T) {
	f := newFolder(t, nil)
	right := issued(t, sourceCode, serial, nil)
	for _, name := range []string{"license.lic", "license (1).lic", "license.lic.bak"} {
		f.put(name, right)
	}
	got, err := f.fetch()
	require.NoError(t, err)
	require.Equal(t, right, got.Bytes())
}

func TestOfSeveralFilesThatFitTheLatestIsTakenOrNone(t *testing.T) {
	day := func(n int) func(*license.Details) { return created(time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)) }
	// Another content of the same day.
	twin := func(n int) func(*license.Details) {
		return func(d *license.Details) { day(n)(d); d.Edition = "Enterprise" }
	}
	undated := func(d *license.Details) { d.Created = time.Time{} }
	for name, tt := range map[string]struct {
		files []func(*license.Details)
		want  int // which; -1: none
	}{
		"a newer one first":                       {[]func(*license.Details){day(2), day(1)}, 0},
		"a newer one last":                        {[]func(*license.Details){day(1), day(2)}, 1},
		"the newest of three":                     {[]func(*license.Details){day(1), day(3), day(2)}, 1},
		"two of the newest day":                   {[]func(*license.Details){day(1), day(2), twin(2)}, -1},
		"two of an older day":                     {[]func(*license.Details){day(1), twin(1), day(2)}, 2},
		"the newest twice, with the same content": {[]func(*license.Details){day(1), day(2), day(2)}, 1},
		"one without a date":                      {[]func(*license.Details){undated, day(2)}, -1},
		"all without a date":                      {[]func(*license.Details){undated, func(d *license.Details) { undated(d); d.Edition = "x" }}, -1},
		"the same without a date":                 {[]func(*license.Details){undated, undated}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t, nobody{t})
			var contents [][]byte
			for n, change := range tt.files {
				contents = append(contents, issued(t, sourceCode, serial, change))
				f.put(fmt.Sprintf("%d.lic", n), contents[n])
			}
			if tt.want >= 0 {
				got, err := f.fetch()
				require.NoError(t, err)
				require.Equal(t, contents[tt.want], got.Bytes())
				return
			}
			text := f.refused(adapters.ErrUnsupported)
			for n := range tt.files {
				require.Contains(t, text, fmt.Sprintf(`"%d.lic"`, n))
			}
			require.Contains(t, text, "leave one of them")
			is, err := f.SerialRegistered(t.Context(), activationCode(t, sourceCode), production)
			require.NoError(t, err)
			require.True(t, is, "either of them shows it")
		})
	}
}

func TestEveryFileThatDoesNotFitIsNamedWithTheReason(t *testing.T) {
	right := issued(t, sourceCode, serial, nil)
	for name, tt := range map[string]struct {
		content []byte
		why     string
	}{
		"another serial number":   {issued(t, sourceCode, other, nil), "is for the serial number " + string(other)},
		"another activation code": {issued(t, targetCode, serial, nil), "is of the activation code ***.AOU #"},
		"expired yesterday":       {issued(t, sourceCode, serial, func(d *license.Details) { d.Ends = today.AddDate(0, 0, -1) }), "has expired on 2026-03-03"},
		"nothing in it":           {nil, "not whole yet"},
		"the end missing":         {right[:len(right)-1], "not whole yet"},
		"zeros at the end":        {append(slices.Clone(right[:len(right)-20]), make([]byte, 20)...), "not whole yet"},
		"something behind it":     {append(slices.Clone(right), 0), "goes on after its end"},
		"a page":                  {[]byte("<!DOCTYPE html><title>Log in</title>"), "web page"},
		"another format":          {[]byte("hello"), "cannot be inspected"},
		"too much":                {make([]byte, license.MaxFileBytes+1), "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t, nil)
			f.put("a.lic", tt.content)
			f.put("b.txt", []byte("also here"))
			text := f.refused(adapters.ErrBusy)
			require.Contains(t, text, `"a.lic" `)
			require.Contains(t, text, tt.why)
			require.Contains(t, text, `"b.txt" cannot be inspected`)
			_, err := f.SerialRegistered(t.Context(), activationCode(t, sourceCode), production)
			require.Same(t, adapters.ErrUnsupported, adapters.ConditionOf(err))

			f.put("c.lic", right) // and none of them is in the way of the right one
			got, err := f.fetch()
			require.NoError(t, err)
			require.Equal(t, right, got.Bytes())
		})
	}
	require.Contains(t, newFolder(t, nil).refused(adapters.ErrBusy), "it is empty")
}

func TestALicenseIsGoodOnItsLastDay(t *testing.T) {
	for days, fits := range map[int]bool{-2: false, -1: false, 0: true, 1: true} {
		f := newFolder(t, nil)
		f.put("a.lic", issued(t, sourceCode, serial, func(d *license.Details) { d.Ends = today.Truncate(24*time.Hour).AddDate(0, 0, days) }))
		_, err := f.fetch()
		require.Equal(t, fits, err == nil, "%d: %v", days, err)
	}
	f := newFolder(t, nil)
	f.put("a.lic", issued(t, sourceCode, serial, func(d *license.Details) { d.Ends = time.Time{} }))
	_, err := f.fetch()
	require.NoError(t, err, "one that does not end")
}

// A file that is being copied has any length; only the whole one is taken.
func TestAFileThatIsNotWholeIsNeverTaken(t *testing.T) {
	f := newFolder(t, nil)
	right := issued(t, sourceCode, serial, nil)
	for n := range right {
		f.put("a.lic", right[:n])
		require.Contains(t, f.refused(adapters.ErrBusy), "not whole yet", "%d bytes", n)
		// As a copy that takes up its room first.
		f.put("a.lic", append(slices.Clone(right[:n]), make([]byte, len(right)-n)...))
		_, err := f.fetch()
		require.Error(t, err, "%d bytes and zeros", n)
	}
	f.put("a.lic", right)
	_, err := f.fetch()
	require.NoError(t, err)
}

func TestAFolderWithTooManyFilesIsRefused(t *testing.T) {
	f := newFolder(t, nil)
	f.put("a.lic", issued(t, sourceCode, serial, nil))
	for n := range 999 {
		f.put(fmt.Sprint(n), nil)
	}
	_, err := f.fetch()
	require.NoError(t, err)
	f.put("one more", nil)
	require.Contains(t, f.refused(adapters.ErrUnsupported), "has 1001 files")
}

// nobody must not be asked.
type nobody struct{ t *testing.T }

func (n nobody) FetchLicense(context.Context, license.ActivationCode, environment.Environment) (license.File, error) {
	n.t.Error("the next portal was asked for a license")
	return license.File{}, adapters.ErrUnsupported
}

func (n nobody) SerialRegistered(context.Context, license.ActivationCode, environment.Environment) (bool, error) {
	n.t.Error("the next portal was asked whether a serial number is registered")
	return false, adapters.ErrUnsupported
}

func (n nobody) RegisterSerial(context.Context, license.ActivationCode, environment.Environment) error {
	n.t.Error("the next portal was asked to register a serial number")
	return adapters.ErrUnsupported
}

func (nobody) Describe() string { return "nobody" }

// answers is a portal that answers what it was told to.
type answers struct {
	file license.File
	is   bool
	err  error
}

func (a answers) FetchLicense(context.Context, license.ActivationCode, environment.Environment) (license.File, error) {
	return a.file, a.err
}

func (a answers) SerialRegistered(context.Context, license.ActivationCode, environment.Environment) (bool, error) {
	return a.is, a.err
}

func (a answers) RegisterSerial(context.Context, license.ActivationCode, environment.Environment) error {
	return a.err
}

func TestWhatTheFolderCannotAnswerIsLeftToTheNextPortal(t *testing.T) {
	code := activationCode(t, sourceCode)
	want, err := license.NewFile([]byte("opaque"))
	require.NoError(t, err)
	for _, is := range []bool{true, false} {
		f := newFolder(t, answers{file: want, is: is})
		f.put("readme.txt", []byte("read me"))
		got, err := f.fetch()
		require.NoError(t, err)
		require.Equal(t, want.Digest(), got.Digest())
		registered, err := f.SerialRegistered(t.Context(), code, production)
		require.NoError(t, err)
		require.Equal(t, is, registered)
		require.NoError(t, f.RegisterSerial(t.Context(), code, production))
	}
	for _, condition := range append([]error{adapters.ErrUncertain, errors.New("plain")}, all()...) {
		f := newFolder(t, answers{err: fmt.Errorf("portal: %w", condition)})
		f.put("readme.txt", []byte("read me"))
		_, err := f.fetch()
		require.ErrorIs(t, err, condition)
		require.Same(t, adapters.ConditionOf(condition), adapters.ConditionOf(err))
		require.ErrorContains(t, err, `"readme.txt" cannot be inspected`)
		_, err = f.SerialRegistered(t.Context(), code, production)
		require.ErrorIs(t, err, condition)
		require.ErrorIs(t, f.RegisterSerial(t.Context(), code, production), condition)
	}
}

func all() (errs []error) {
	for _, c := range adapters.Conditions() {
		errs = append(errs, c)
	}
	return errs
}

func TestWithoutANextPortalNothingIsClaimed(t *testing.T) {
	f := newFolder(t, nil)
	code := activationCode(t, sourceCode)
	_, err := f.SerialRegistered(t.Context(), code, production)
	require.Same(t, adapters.ErrUnsupported, adapters.ConditionOf(err))
	require.Same(t, adapters.ErrUnsupported, adapters.ConditionOf(f.RegisterSerial(t.Context(), code, production)))
}

func TestACodeOrASerialNumberThatIsMissingMatchesNothing(t *testing.T) {
	f := newFolder(t, nobody{t})
	f.put("a.lic", issued(t, sourceCode, serial, nil))
	_, err := f.FetchLicense(t.Context(), license.ActivationCode{}, production)
	require.Error(t, err)
	_, err = f.FetchLicense(t.Context(), activationCode(t, sourceCode), environment.Environment{Name: "Production"})
	require.Error(t, err)
}

func TestNothingInTheFolderIsChanged(t *testing.T) {
	f := newFolder(t, nil)
	for n, content := range [][]byte{issued(t, sourceCode, serial, nil), issued(t, sourceCode, other, nil), nil, []byte("x")} {
		f.put(fmt.Sprint(n), content)
	}
	state := func() (state []string) {
		entries, err := os.ReadDir(f.dir)
		require.NoError(t, err)
		for _, e := range entries {
			info, err := e.Info()
			require.NoError(t, err)
			content, err := os.ReadFile(filepath.Join(f.dir, e.Name()))
			require.NoError(t, err)
			state = append(state, fmt.Sprint(e.Name(), info.Mode(), info.ModTime(), content))
		}
		return state
	}
	before := state()
	_, err := f.fetch()
	require.NoError(t, err)
	_, err = f.SerialRegistered(t.Context(), activationCode(t, sourceCode), production)
	require.NoError(t, err)
	require.Equal(t, before, state())
}

func TestDescribeNamesTheFolderAndTheNextPortal(t *testing.T) {
	f := newFolder(t, nobody{t})
	require.Equal(t, "license files that a person puts into "+f.dir+", otherwise: nobody", adapters.Describe(f.Inbox))
	f = newFolder(t, nil)
	require.Equal(t, "license files that a person puts into "+f.dir, adapters.Describe(f.Inbox))
}
