package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crypto/tls"

	"github.com/stretchr/testify/require"
)

func TestItSaysHowItIsReachedAndWhatWasApplied(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	dir := t.TempDir()
	scenario := filepath.Join(dir, "faults.json")
	require.NoError(t, os.WriteFile(scenario, []byte(`{"faults":[{"kind":"thirdCode","environment":"Quality","operation":"GetPlatformInfo"}]}`), 0o600))
	out, in := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"-state", filepath.Join(dir, "world"), "-scenario", scenario}, in, in)
		_ = in.Close()
	}()
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	address, ok := strings.CutPrefix(lines.Text(), "simulation, not a real system: ")
	require.True(t, ok, lines.Text())
	for lines.Scan() && lines.Text() != "effects:" {
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/at/qua.example.test/ServiceCenter/OutSystemsPlatform.asmx", strings.NewReader(
		`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><GetPlatformInfo xmlns="http://www.outsystems.com"/></e:Body></e:Envelope>`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("SOAPAction", "http://ServiceCenter/OutSystemsPlatform/GetPlatformInfo")
	answered := make(chan int, 1)
	go func() {
		resp, err := client.Do(req)
		if err != nil {
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), "InstallByHand in Quality: ")
	require.Equal(t, http.StatusOK, <-answered)
	stop()
	for lines.Scan() {
	}
	require.Equal(t, 0, <-code)
}

func TestWhatCannotBeServedIsSaid(t *testing.T) {
	for name, args := range map[string][]string{
		"an unknown flag":               {"-x"},
		"an argument":                   {"x"},
		"a plan that there is not":      {"-plan", "nothing.json"},
		"a plan that is none":           {"-plan", "main.go"},
		"a scenario that there is not":  {"-scenario", "nothing.json"},
		"a scenario that is none":       {"-scenario", "main.go"},
		"an address that others see":    {"-address", "0.0.0.0:0"},
		"a state directory that's none": {"-state", "main.go"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			require.Equal(t, 1, run(t.Context(), args, &out, &errOut))
			require.NotEmpty(t, errOut.String())
			require.LessOrEqual(t, strings.Count(errOut.String(), "simulator: "), 1, errOut.String())
		})
	}
	require.Zero(t, run(t.Context(), []string{"-help"}, io.Discard, io.Discard))
}
