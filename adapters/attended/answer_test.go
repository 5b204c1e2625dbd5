package attended_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// reasons are the conditions that each conversation offers, and the answers
// that lead to the list.
var reasons = []struct {
	conversation string
	before       []string
	conditions   []*adapters.Condition
}{
	{"fetch", []string{"Ada", "no"}, []*adapters.Condition{adapters.ErrSerialNotFound, adapters.ErrPermission, adapters.ErrNotReached}},
	{"registered", []string{"Ada", "no"}, []*adapters.Condition{adapters.ErrPermission, adapters.ErrNotReached}},
	{"register", []string{"Ada", "not done"}, []*adapters.Condition{adapters.ErrNoSlot, adapters.ErrPermission, adapters.ErrNotReached}},
	{"installed", []string{"Ada", string(serial), sourceCode, "no"}, []*adapters.Condition{adapters.ErrPermission, adapters.ErrNotReached}},
	{"upload", []string{"Ada", "not done"}, []*adapters.Condition{
		adapters.ErrWrongEnvironment, adapters.ErrRejected, adapters.ErrBusy, adapters.ErrPermission, adapters.ErrNotReached}},
	{"backup", []string{"Ada", "no"}, []*adapters.Condition{adapters.ErrNoLicense, adapters.ErrPermission, adapters.ErrNotReached}},
	{"republish", []string{"Ada", "no"}, []*adapters.Condition{adapters.ErrModuleNotFound, adapters.ErrPermission, adapters.ErrNotReached}},
	{"republish", []string{"Ada", "17", "not done"}, []*adapters.Condition{adapters.ErrIntellectualProperty, adapters.ErrPublishFailed,
		adapters.ErrBusy, adapters.ErrModuleNotFound, adapters.ErrPermission, adapters.ErrNotReached}},
	{"inventory", []string{"Ada", "no"}, []*adapters.Condition{adapters.ErrPermission, adapters.ErrNotReached}},
	{"pause", []string{"Ada", "not done"}, []*adapters.Condition{
		adapters.ErrBusy, adapters.ErrUnknownEnvironment, adapters.ErrPermission, adapters.ErrNotReached}},
	{"resume", []string{"Ada", "not done"}, []*adapters.Condition{adapters.ErrUnknownEnvironment, adapters.ErrPermission, adapters.ErrNotReached}},
	{"case", []string{"Ada", "not done"}, []*adapters.Condition{adapters.ErrPermission, adapters.ErrNotReached}},
	{"find", []string{"Ada", "no"}, []*adapters.Condition{adapters.ErrPermission, adapters.ErrNotReached}},
	{"put", []string{"Ada", "no"}, nil},
	{"get", []string{"Ada", "no"}, nil},
	{"list", []string{"Ada", "no"}, nil},
}

func talk(t *testing.T, s *session, name string) error {
	t.Helper()
	for _, c := range conversations() {
		if c.name == name {
			return c.call(t, s.ctx(t), s)
		}
	}
	t.Fatalf("there is no conversation %q", name)
	return nil
}

func TestANoLeadsToTheReasonsAndOneOfThemIsTheAnswer(t *testing.T) {
	for _, r := range reasons {
		all := append(append([]*adapters.Condition{}, r.conditions...), adapters.ErrRefused, nil)
		for i, want := range all {
			t.Run(fmt.Sprintf("%s after %d answers, reason %d", r.conversation, len(r.before), i+1), func(t *testing.T) {
				s := sit(t, nil)
				s.types(r.before...)
				s.types("0", fmt.Sprint(len(all)+1), fmt.Sprint(i+1), "the page said "+thirdCode+" \x1b[2J")
				err := talk(t, s, r.conversation)
				require.Error(t, err)
				require.Same(t, want, adapters.ConditionOf(err), "%v", err)
				require.NotErrorIs(t, err, adapters.ErrUncertain)
				require.Contains(t, err.Error(), "the page said")
				require.NotContains(t, err.Error(), thirdCode)
				require.NotContains(t, err.Error(), "\x1b")
				said := s.said[len(s.said)-1]
				require.Equal(t, "Ada", said.By)
				require.Contains(t, said.Text, "the page said")
				require.NotContains(t, said.Text, thirdCode)
			})
		}
	}
}

func TestAReasonThatIsGivenCountsWhenTheInputEndsBehindIt(t *testing.T) {
	s := sit(t, nil)
	s.types("Ada", "not done", "2")
	require.Same(t, adapters.ErrRejected, adapters.ConditionOf(talk(t, s, "upload")))

	s = sit(t, nil)
	s.types("Ada", "not done")
	err := talk(t, s, "upload")
	require.Error(t, err)
	require.Nil(t, adapters.ConditionOf(err), "without a reason nothing is certain")
}

func TestUnknownIsUncertain(t *testing.T) {
	for name, answers := range map[string][]string{
		"register": {"Ada", "unknown"}, "upload": {"Ada", "Unknown"}, "republish": {"Ada", "17", "unknown"},
		"pause": {"Ada", "UNKNOWN"}, "resume": {"Ada", "unknown"}, "case": {"Ada", "unknown"},
	} {
		s := sit(t, nil)
		s.types(answers...)
		require.ErrorIs(t, talk(t, s, name), adapters.ErrUncertain, name)
		require.NotEmpty(t, s.said)
	}
	for _, answers := range [][]string{{"Ada", "17", "done", "no", "1", ""}, {"Ada", "17", "done", "no", "2", ""}} {
		s := sit(t, nil)
		s.types(answers...)
		err := talk(t, s, "republish")
		require.ErrorIs(t, err, adapters.ErrUncertain, "it was published, and the version after it is not known")
		require.Nil(t, adapters.ConditionOf(err))
	}
}

func TestOnlyYesMeansYes(t *testing.T) {
	for _, answer := range []string{"", "no", "y", "yes!", "yes yes", "ok", "done", "\x1b", "ja", "true", strings.Repeat("yes", 2000)} {
		s := sit(t, nil)
		s.types("Ada", answer)
		if len(answer) > 4096 {
			s.types(answer, answer)
		}
		s.types("never read")
		require.ErrorIs(t, talk(t, s, "ask"), adapters.ErrRefused, "%.20q", answer)
		require.Equal(t, []string{"never read"}, s.lines, "%.20q", answer)
	}
	for _, answer := range []string{"yes", "YES", " Yes "} {
		s := sit(t, nil)
		s.types("Ada", answer, "the list in LifeTime")
		require.NoError(t, talk(t, s, "ask"))
	}
}

func TestAValueThatIsUnusualIsTypedTwice(t *testing.T) {
	usual := []string{"Ada", string(serial), sourceCode, string(serial), "Production", "2027-01-31", "Ignore"}
	for name, c := range map[string]struct {
		at  int
		odd string
	}{
		"an activation code": {2, "SHORT-CODE"},
		"a serial number":    {1, "SHORT"},
		"an IPP word":        {6, "Geschützt"},
	} {
		t.Run(name, func(t *testing.T) {
			read := func(answers ...string) (license.Installed, string, error) {
				s := sit(t, nil)
				s.types(usual[:c.at]...)
				s.types(answers...)
				s.types(usual[c.at+1:]...)
				got, err := s.InstalledLicense(t.Context(), production)
				return got, s.text(), err
			}
			got, text, err := read(c.odd, c.odd)
			require.NoError(t, err)
			require.Contains(t, text, "type the same again if it is right")
			require.Contains(t, []string{got.Code.Reveal(), string(got.Server), string(got.IPP)}, c.odd)

			got, _, err = read(c.odd, usual[c.at])
			require.NoError(t, err)
			require.NotContains(t, []string{got.Code.Reveal(), string(got.Server), string(got.IPP)}, c.odd)

			_, _, err = read(c.odd, c.odd+"X", c.odd)
			require.Error(t, err, "twice in a row")
		})
	}
}

func TestThePageOfAServerWithoutALicenseIsReadToThatPoint(t *testing.T) {
	s := sit(t, nil)
	s.types("Ada", string(serial), "None")
	got, err := s.InstalledLicense(s.ctx(t), production)
	require.NoError(t, err)
	require.Equal(t, license.Installed{Server: serial}, got)
	require.Contains(t, s.said[0].Text, "shows no license")
}

func TestALicenseWithoutEndTypeOrIPPWordIsRead(t *testing.T) {
	s := sit(t, nil)
	s.types("Ada", string(serial), targetCode, string(serial), "none", "never", "none")
	got, err := s.InstalledLicense(t.Context(), production)
	require.NoError(t, err)
	require.Equal(t, license.Installed{Server: serial, Code: activationCode(t, targetCode), Serial: serial}, got)
}

func TestAFileThatSaysItIsAnotherIsTakenOnlyWhenItsPathIsTypedTwice(t *testing.T) {
	for name, c := range map[string]struct {
		code   string
		serial license.SerialNumber
		reason string
	}{
		"for another serial number":     {sourceCode, "ZZZ-BBB-CCC-DDD-EEE-FFF-GGG-HHH", "the file is for the serial number ZZZ-"},
		"under another activation code": {targetCode, serial, "the file is for the activation code ***.AOU #"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sit(t, nil)
			s.write(t, "other.lic", issue(t, c.code, c.serial))
			s.types("Ada", "DIR/other.lic", "DIR/download.lic")
			require.NoError(t, talk(t, s, "fetch"))
			require.Contains(t, s.text(), c.reason)
			require.NotContains(t, s.text(), targetCode)

			s = sit(t, nil)
			other := issue(t, c.code, c.serial)
			s.write(t, "other.lic", other)
			s.types("Ada", "DIR/other.lic", "DIR/other.lic")
			got, err := s.FetchLicense(t.Context(), activationCode(t, sourceCode), production)
			require.NoError(t, err)
			require.Equal(t, other.Digest(), got.Digest())
		})
	}
}

func TestAFileThatCannotBeALicenseIsRefusedWithTheReason(t *testing.T) {
	whole := issue(t, sourceCode, serial).Bytes()
	for name, c := range map[string]struct {
		make   func(t *testing.T, path string)
		reason string
	}{
		"there is none": {func(*testing.T, string) {}, "there is no such file"},
		"a directory":   {func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, "not a regular file"},
		"an empty file": {func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, nil, 0o600)) }, "empty"},
		"a web page": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("<!DOCTYPE html>"), 0o600))
		}, "web page"},
		"half a license": {func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, whole[:len(whole)/2], 0o600)) }, "whole"},
		"a huge file": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			require.NoError(t, os.Truncate(path, 1<<40))
		}, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sit(t, nil)
			c.make(t, filepath.Join(s.dir, "odd.lic"))
			s.types("Ada", "DIR/odd.lic", "DIR/download.lic")
			require.NoError(t, talk(t, s, "fetch"))
			require.Contains(t, s.text(), c.reason)
		})
	}
}

func TestTheListOfEnvironmentsIsConfirmedOrGivenAgain(t *testing.T) {
	s := sit(t, nil)
	s.types("Ada", "Production", "prod.example.test", "no", "no", "none", "end")
	first, err := s.Registered(t.Context())
	require.NoError(t, err)

	s.types("yes")
	second, err := s.Registered(s.ctx(t))
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.Contains(t, s.said[0].Text, "Production (prod.example.test), not paused", "a confirmation is a statement of its own")
	second[0].Name = "changed"

	s.types("done", "yes")
	require.NoError(t, s.PauseDeployments(t.Context(), production))
	third, err := s.Registered(t.Context())
	require.NoError(t, err)
	require.Equal(t, []environment.Registered{{Name: "Production", Address: "prod.example.test", Paused: true}}, third)

	s.types("done", "yes")
	require.NoError(t, s.ResumeDeployments(t.Context(), production))
	fourth, err := s.Registered(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, fourth)

	s.types("not done", "1", "", "no", "Production", "Quality", "qa.example.test", "no", "no", "none", "Quality", "end")
	require.ErrorIs(t, s.PauseDeployments(t.Context(), production), adapters.ErrBusy)
	s.lines = append(s.lines[:0], strings.Split("no,Quality,qa.example.test,no,no,none,Quality,end", ",")...)
	fifth, err := s.Registered(t.Context())
	require.NoError(t, err)
	require.Equal(t, []environment.Registered{{Name: "Quality", Address: "qa.example.test"}}, fifth)
	require.Contains(t, s.text(), "that name was given before")

	s.types("no", "end")
	none, err := s.Registered(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestFilesAreLaidOutForThePersonAlone(t *testing.T) {
	file := issue(t, sourceCode, serial)
	s := sit(t, nil)
	s.types("Ada", "done", "done")
	for range 2 {
		require.NoError(t, s.UploadLicense(t.Context(), production, file))
	}
	entries, err := os.ReadDir(s.handOver)
	require.NoError(t, err)
	require.Len(t, entries, 1, "the same file is laid out once")
	name := entries[0].Name()
	require.Equal(t, production.Key()+"-"+string(file.Digest()[:16])+".lic", name)
	path := filepath.Join(s.handOver, name)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, file.Bytes(), content)
	require.Contains(t, s.text(), "DIR/files/"+name)
	require.Contains(t, s.text(), string(file.Digest()))
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		info, err = os.Stat(s.handOver)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	}
}

func TestWhatLiesInTheWayOfAFileIsNeverReplaced(t *testing.T) {
	file := issue(t, sourceCode, serial)
	name := production.Key() + "-" + string(file.Digest()[:16]) + ".lic"
	for what, plant := range map[string]func(t *testing.T, path string){
		"another file of that length": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("x"), file.Size()), 0o600))
		},
		"the beginning of the file": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, file.Bytes()[:10], 0o600))
		},
		"the file, but open to others": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, file.Bytes(), 0o644))
			require.NoError(t, os.Chmod(path, 0o644))
		},
		"a symbolic link": func(t *testing.T, path string) { require.NoError(t, os.Symlink("/etc/passwd", path)) },
		"a directory":     func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) },
	} {
		t.Run(what, func(t *testing.T) {
			s := sit(t, nil)
			require.NoError(t, os.Mkdir(s.handOver, 0o700))
			path := filepath.Join(s.handOver, name)
			plant(t, path)
			before, err := os.Lstat(path)
			require.NoError(t, err)
			s.types("Ada", "done")
			err = s.UploadLicense(t.Context(), production, file)
			require.Same(t, adapters.ErrNotReached, adapters.ConditionOf(err), "%v", err)
			require.Equal(t, []string{"done"}, s.lines, "nothing was asked of the person")
			after, err := os.Lstat(path)
			require.NoError(t, err)
			require.True(t, os.SameFile(before, after))
			require.Equal(t, before.Size(), after.Size())
		})
	}
}

func TestADirectoryForFilesIsClosedToOthers(t *testing.T) {
	file := issue(t, sourceCode, serial)
	t.Run("a loose one is refused with what to run", func(t *testing.T) {
		s := sit(t, func(o *attended.Options) { o.Who = "Ada" })
		require.NoError(t, os.Mkdir(s.handOver, 0o700))
		require.NoError(t, os.Chmod(s.handOver, 0o755))
		err := s.UploadLicense(t.Context(), production, file)
		require.ErrorIs(t, err, adapters.ErrNotReached)
		require.Contains(t, err.Error(), "chmod 700 -- '"+s.handOver+"'")
	})
	t.Run("a symbolic link or a file is refused", func(t *testing.T) {
		for _, make := range []func(path string) error{
			func(path string) error { return os.Symlink(t.TempDir(), path) },
			func(path string) error { return os.WriteFile(path, nil, 0o600) },
		} {
			s := sit(t, func(o *attended.Options) { o.Who = "Ada" })
			require.NoError(t, make(s.handOver))
			require.ErrorIs(t, s.UploadLicense(t.Context(), production, file), adapters.ErrNotReached)
		}
	})
	t.Run("without one there are no uploads and no backups", func(t *testing.T) {
		s := sit(t, func(o *attended.Options) { o.Dir, o.Who = "", "Ada" })
		require.Same(t, adapters.ErrUnsupported, adapters.ConditionOf(s.UploadLicense(t.Context(), production, file)))
		_, err := s.Put(t.Context(), adapters.Label{Environment: "Production", Serial: serial}, file)
		require.Same(t, adapters.ErrUnsupported, adapters.ConditionOf(err))
	})
	t.Run("no file is laid out for nothing", func(t *testing.T) {
		s := sit(t, func(o *attended.Options) { o.Who = "Ada" })
		require.Error(t, s.UploadLicense(t.Context(), production, license.File{}))
		require.NoDirExists(t, s.handOver)
	})
}

func TestAStoredBackupIsProvenByCopiesOfItsOwn(t *testing.T) {
	s := sit(t, nil)
	handedOver := filepath.Join("DIR", "files", production.Key()+"-"+string(plain(t).Digest()[:16])+".lic")
	other := issue(t, targetCode, serial)
	s.write(t, "other.lic", other)
	s.types("Ada", "2", "end", handedOver, "DIR/copy 1.lic", "DIR/copy 1.lic", "DIR/other.lic", "DIR/copy 2.lic", "end")
	require.NoError(t, talk(t, s, "put"))
	require.Contains(t, s.text(), "at least 1 must be read back")
	require.Equal(t, 2, strings.Count(s.text(), "no further copy but the same file"))
	require.Contains(t, s.text(), "another SHA-256")
}

func TestARecordLineStandsForTheBackupItWasPrintedFor(t *testing.T) {
	s := sit(t, func(o *attended.Options) { o.Who = "Ada" })
	file := issue(t, sourceCode, serial)
	s.write(t, "copy.lic", file)
	label := adapters.Label{Environment: `P"rod`, Serial: serial, Role: license.Source, Origin: environment.OriginPortal}
	s.types("0", "DIR/copy.lic", "end")
	first, err := s.Put(t.Context(), label, file)
	require.NoError(t, err)
	_, text, _ := strings.Cut(s.text(), "Keep this record line with the copies:\n")
	line, _, _ := strings.Cut(text, "\n")
	require.True(t, strings.HasPrefix(line, "{"), line)

	s.types(line, "DIR/copy.lic", "end")
	again, err := s.Put(t.Context(), label, file)
	require.NoError(t, err)
	require.Equal(t, first, again)

	s.types(line, "DIR/copy.lic", "end", "end")
	list, err := s.List(t.Context(), serial)
	require.NoError(t, err)
	require.Equal(t, []adapters.Stored{first}, list)

	for what, wrong := range map[string]string{
		"a changed one":       strings.Replace(line, "source", "Source", 1)[1:],
		"one with more":       strings.Replace(line, "{", `{"more":1,`, 1),
		"one that is doubled": strings.Replace(line, "{", `{"generation":1,`, 1),
		"generation zero":     strings.Replace(line, `"generation":1`, `"generation":0`, 1),
		"another file's":      strings.Replace(line, string(file.Digest()), digestOf("other"), 1),
		"another label's":     strings.Replace(line, "portal", "installed", 1),
		"half of it":          line[:len(line)/2],
	} {
		s.lines = nil
		s.types(wrong, wrong, wrong)
		_, err = s.Put(t.Context(), label, file)
		require.Error(t, err, what)
	}
	s.lines = nil
	s.types(line, "end", line, line, line)
	_, err = s.List(t.Context(), serial)
	require.ErrorContains(t, err, "not higher")
	s.lines = nil
	s.types(line, line, line)
	_, err = s.List(t.Context(), "another")
	require.ErrorContains(t, err, "another serial number")
}

func TestALabelThatCannotBeShownIsRefused(t *testing.T) {
	s := sit(t, func(o *attended.Options) { o.Who = "Ada" })
	for _, name := range []string{"Prod\x1b[2J", "Prod\u202e", "\xff", strings.Repeat("x", 1000)} {
		_, err := s.Put(t.Context(), adapters.Label{Environment: name, Serial: serial}, issue(t, sourceCode, serial))
		require.ErrorContains(t, err, "the label")
	}
}

// hostile puts escapes into everything that is a text.
const hostile = "Prod\x1b]52;c;ZXZpbA==\a\u202egnp.exe\u2028\n> yes\x00\xff"

func TestTextFromOutsideIsNeverPrintedRaw(t *testing.T) {
	env := environment.Environment{Name: hostile, Kind: hostile, ServiceCenter: hostile, Serial: hostile}
	file := issue(t, sourceCode, serial)
	for name, call := range map[string]func(ctx context.Context, s *session) error{
		"FetchLicense": func(ctx context.Context, s *session) error {
			_, err := s.FetchLicense(ctx, activationCode(t, sourceCode), env)
			return err
		},
		"SerialRegistered": func(ctx context.Context, s *session) error {
			_, err := s.SerialRegistered(ctx, activationCode(t, sourceCode), env)
			return err
		},
		"RegisterSerial": func(ctx context.Context, s *session) error {
			return s.RegisterSerial(ctx, activationCode(t, sourceCode), env)
		},
		"InstalledLicense": func(ctx context.Context, s *session) error {
			_, err := s.InstalledLicense(ctx, env)
			return err
		},
		"UploadLicense": func(ctx context.Context, s *session) error { return s.UploadLicense(ctx, env, file) },
		"BackupLicense": func(ctx context.Context, s *session) error {
			_, err := s.BackupLicense(ctx, env)
			return err
		},
		"RepublishModule": func(ctx context.Context, s *session) error {
			s.types("17")
			_, err := s.RepublishModule(ctx, env, hostile)
			return err
		},
		"PauseDeployments":  func(ctx context.Context, s *session) error { return s.PauseDeployments(ctx, env) },
		"ResumeDeployments": func(ctx context.Context, s *session) error { return s.ResumeDeployments(ctx, env) },
		"OpenCase": func(ctx context.Context, s *session) error {
			_, err := s.OpenCase(ctx, adapters.Case{Key: hostile, Subject: hostile, Body: hostile + "\r\n" + hostile})
			return err
		},
		"FindCase": func(ctx context.Context, s *session) error {
			_, err := s.FindCase(ctx, hostile)
			return err
		},
		"Ask": func(ctx context.Context, s *session) error {
			_, err := s.Ask(ctx, adapters.Question{Kind: hostile, Subject: hostile, Environment: hostile, Text: hostile, Details: []string{hostile}})
			return err
		},
		"Get": func(ctx context.Context, s *session) error {
			_, err := s.Get(ctx, hostile, hostile)
			return err
		},
		"List": func(ctx context.Context, s *session) error {
			_, err := s.List(ctx, hostile)
			return err
		},
		"Put": func(ctx context.Context, s *session) error {
			_, err := s.Put(ctx, adapters.Label{Environment: hostile, Serial: hostile, Role: hostile, Origin: hostile}, file)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := sit(t, func(o *attended.Options) { o.Who = hostile })
			err := call(s.ctx(t), s)
			require.Error(t, err)
			texts := []string{s.text(), err.Error()}
			for _, said := range s.said {
				texts = append(texts, said.By, said.Text)
			}
			for _, text := range texts {
				for _, raw := range []string{"\x1b", "\a", "\u202e", "\u2028", "\x00", "\xff"} {
					require.NotContains(t, text, raw)
				}
			}
			if name != "OpenCase" { // whose text has lines, and no prompt behind them
				require.NotContains(t, s.text(), "\n> yes")
			}
		})
	}
}

func TestNoSecretIsPrinted(t *testing.T) {
	file := plain(t)
	for _, c := range conversations() {
		for _, reveal := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reveal %v", c.name, reveal), func(t *testing.T) {
				s := sit(t, func(o *attended.Options) { o.Reveal = reveal })
				s.types(c.answers...)
				require.NoError(t, c.call(t, s.ctx(t), s))
				// What was typed is not what is looked at.
				text := strings.ReplaceAll(s.text(), "\n> "+sourceCode, "")
				for _, said := range s.said {
					text += said.Text
					require.NotContains(t, said.Text, sourceCode)
					require.NotContains(t, said.Text, targetCode)
				}
				portal := c.name == "fetch" || c.name == "registered" || c.name == "register"
				if !reveal || !portal {
					require.NotContains(t, text, sourceCode)
					require.NotContains(t, text, targetCode)
				} else {
					require.Contains(t, text, map[bool]string{true: sourceCode, false: targetCode}[c.name == "fetch"])
				}
				require.NotContains(t, text, string(file.Bytes()))
				require.NotContains(t, text, hex.EncodeToString(file.Bytes()))
				require.NotContains(t, text, base64.StdEncoding.EncodeToString(file.Bytes()))
			})
		}
	}
}

func TestACodeInTheWrongPlaceIsNotRepeated(t *testing.T) {
	for _, c := range conversations() {
		for n := range c.answers {
			if c.name == "ask" && n == 2 {
				continue // a remark; the next test looks at those
			}
			for _, secret := range []string{thirdCode, sourceCode} {
				s := sit(t, nil)
				s.types(c.answers[:n]...)
				s.types(secret, secret, secret, secret, secret, secret, secret)
				err := c.call(t, context.Background(), s)
				if err != nil {
					require.NotContains(t, err.Error(), secret, "%s, answer %d", c.name, n)
				}
				printed := strings.ReplaceAll(s.text(), "\n> "+sourceCode, "")
				printed = strings.ReplaceAll(printed, "\n> "+secret, "")
				require.NotContains(t, printed, secret, "%s, answer %d", c.name, n)
			}
		}
	}
}

func TestCodesInTheTextOfACaseOrQuestionAreMasked(t *testing.T) {
	s := sit(t, func(o *attended.Options) { o.Who = "Ada"; o.Source = activationCode(t, "odd code") })
	s.types("CASE-1")
	_, err := s.OpenCase(t.Context(), adapters.Case{Key: "k", Subject: "about " + thirdCode, Body: "from odd code to " + targetCode + targetCode})
	require.NoError(t, err)
	s.types("yes", "it says "+thirdCode+".")
	answer, err := s.Ask(t.Context(), adapters.Question{Text: "Is it " + targetCode + "?", Details: []string{thirdCode}})
	require.NoError(t, err)
	require.NotContains(t, answer.Text, thirdCode)
	printed := strings.ReplaceAll(s.text(), "\n> it says "+thirdCode, "")
	for _, secret := range []string{thirdCode, targetCode, "odd code"} {
		require.NotContains(t, printed, secret)
	}
}

func TestALongCaseIsPrintedWhole(t *testing.T) {
	s := sit(t, func(o *attended.Options) { o.Who = "Ada" })
	s.types("CASE-1")
	var body strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&body, "- environment %d, %s\n", i, strings.Repeat("ä", 300))
	}
	_, err := s.OpenCase(t.Context(), adapters.Case{Key: "k", Subject: "subject", Body: body.String()})
	require.NoError(t, err)
	require.Contains(t, s.text(), body.String())
}

func TestADeskAnswersForEveryPort(t *testing.T) {
	desk := attended.New(strings.NewReader(""), &bytes.Buffer{}, nil)
	require.NoError(t, desk.Set().Validate())
	require.Equal(t, "attended", adapters.Describe(desk))
	_, err := desk.Ask(t.Context(), adapters.Question{})
	require.ErrorIs(t, err, adapters.ErrRefused)
}
