package lifetime

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

// checkError checks that what is said of an answer can be printed.
func checkError(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, printable.Whole(err.Error()), err.Error())
	require.Less(t, len(err.Error()), 4000)
}

func FuzzEnvironments(f *testing.F) {
	f.Add([]byte(`[{"Key":"0d1f","Name":"Production","HostName":"prd.example.test","IsCloudEnvironment":false,"IsOffline":false}]`))
	f.Add([]byte(`[{"Key":"a","Name":"b"},{"Key":"A","Name":"c"}]`))
	f.Add([]byte(`[{"Key":"a","Name":"b","name":"c"}]`))
	f.Add([]byte("[{\"Key\":\"a\",\"Name\":\"\u202e\",\"IsOffline\":null}]"))
	f.Add([]byte(`[[[[[[{"a":`))
	f.Fuzz(func(t *testing.T, b []byte) {
		items, err := decodeItems(b)
		if err != nil {
			checkError(t, err)
			require.Nil(t, items)
			return
		}
		require.LessOrEqual(t, len(items), environment.MaxEnvironments)
		keys, names := map[string]bool{}, map[string]bool{}
		for _, i := range items {
			require.NoError(t, i.check())
			keys[strings.ToLower(i.Key)], names[i.Name] = true, true
		}
		require.Len(t, keys, len(items))
		require.Len(t, names, len(items))
	})
}

func FuzzEnvironment(f *testing.F) {
	f.Add([]byte(`{"Key":"0d1f","Name":"Production","IsOffline":true}`))
	f.Add([]byte(`{"Key":"../","Name":"Production"}`))
	f.Add([]byte(`{"Key":"a","Name":""}{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, err := decodeItem(b); err != nil {
			checkError(t, err)
		} else {
			require.NotEmpty(t, i.Name)
			require.Equal(t, -1, strings.IndexAny(i.Key, "/.?#%\\ "))
		}
	})
}

func FuzzDeployments(f *testing.F) {
	f.Add([]byte(`[{"Key":"a","TargetEnvironmentKey":"b","StartedOn":"2018-10-10T15:02:10.853Z"}]`))
	f.Add([]byte(`[{"Key":"a","StartedOn":"1900-01-01T00:00:00"},{"Key":"b","StartedOn":null},{"Key":"c","StartedOn":""}]`))
	f.Add([]byte(`[{"Key":"a","StartedOn":"0000-00-00T00:00:00"}]`))
	f.Add([]byte(`[{"Key":"a","StartedOn":{}}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decodeDeployments(b)
		if err != nil {
			checkError(t, err)
			return
		}
		for _, d := range list {
			require.NoError(t, checkKey(d.Key))
			require.True(t, !d.StartedOn.none || d.StartedOn.Year() <= 1900)
		}
	})
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(`{"DeploymentStatus":"needs_user_intervention","Info":"deployment_suspended","DeploymentLog":[]}`))
	f.Add([]byte(`{"deploymentstatus":"saved"}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := decodeStatus(b); err != nil {
			checkError(t, err)
		} else {
			require.NotEmpty(t, s.DeploymentStatus)
		}
	})
}

// Whatever an answer says, what is shown of it can be printed, and only the
// documented form counts.
func FuzzError(f *testing.F) {
	f.Add([]byte(`{"Errors":["text"],"StatusCode":400}`))
	f.Add([]byte(`{"Errors":["` + strings.Repeat("x", 500) + `"],"StatusCode":400}`))
	f.Add([]byte(`{"Errors":[],"StatusCode":400}`))
	f.Add([]byte(`{"Errors":null,"StatusCode":400}`))
	f.Add([]byte(`<html>`))
	f.Add([]byte("{\"Errors\":[\"\xb5\"],\"StatusCode\":400}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text, documented := said(wire.Answer{Status: 400, Type: "application/json", Body: b})
		require.Equal(t, printable.Whole(text), text)
		failure, err := decodeError(b)
		require.Equal(t, utf8.Valid(b) && err == nil && failure.StatusCode == 400, documented)
		if documented {
			require.NotEmpty(t, slices.Clip(failure.Errors))
		}
	})
}
