package command_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/command"
)

func TestNewReportsEverythingThatIsWrong(t *testing.T) {
	path, err := os.Executable()
	require.NoError(t, err)
	for _, tt := range []struct {
		name string
		o    command.Options
		want []string
	}{
		{"nothing is wrong", command.Options{Path: path}, nil},
		{"nothing at all", command.Options{}, []string{`the path "" is not absolute`}},
		{"a name to be searched for", command.Options{Path: "pwsh"}, []string{`the path "pwsh" is not absolute`}},
		{"a relative path", command.Options{Path: "./adapter\x1b"}, []string{`the path "./adapter\\u001b" is not absolute`}},
		{"a relative folder", command.Options{Path: path, Dir: "work"}, []string{`the folder "work" is not absolute`}},
		{"a zero byte in a path", command.Options{Path: path + "\x00"}, []string{"a path contains a zero byte"}},
		{"a zero byte in an argument", command.Options{Path: path, Args: []string{"a", "b\x00"}}, []string{"argument 2 contains a zero byte"}},
		{"an environment that is none", command.Options{Path: path, Env: []string{"A=", "hunter2", "=hunter2", "B=hunter2\x00"}},
			[]string{"entry 2 of the environment", "entry 3 of the environment", "entry 4 of the environment"}},
		{"a negative time", command.Options{Path: path, Timeout: -time.Second}, []string{"-1s; it cannot be negative"}},
		{"two things", command.Options{Timeout: -1}, []string{"not absolute", "negative"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := command.New(tt.o)
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.Nil(t, p)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "\x1b")
		})
	}
}

func TestAProgramSaysWhatItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "adapter")
	p, err := command.New(command.Options{Path: path})
	require.NoError(t, err)
	require.Contains(t, adapters.Describe(p), "program ")
	p, err = command.New(command.Options{Path: path, Describe: "the Configuration Tool\x1b"})
	require.NoError(t, err)
	require.Equal(t, `the Configuration Tool\u001b`, adapters.Describe(p))
}

func TestOptionsAreCopied(t *testing.T) {
	o := options(t, "relay", "127.0.0.1:0", "token")
	p, err := command.New(o)
	require.NoError(t, err)
	o.Args[0], o.Env[0] = "-test.run=^$", "A=B"
	_, err = p.Registered(t.Context())
	require.ErrorContains(t, err, "exit code 1: dial", "it was started with the arguments of then")
}
