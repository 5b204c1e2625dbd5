package page

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// The pictures of the documentation are written by
//
//	go test ./internal/page -run Browser/screenshots -update
//
// and not compared: fonts differ from machine to machine. What must hold of
// the layout is held by the other tests.
var update = flag.Bool("update", false, "write the pictures of docs")

func screenshots(t *testing.T, chrome context.Context) {
	v := eventful(t)
	lively := middle(t)
	lively.Live, lively.Now = true, lively.Report.Timeline()[len(lively.Report.Timeline())-1].Time.Add(20*time.Second)
	_, url, _ := serve(t, func(context.Context) (View, error) { return lively, nil })
	for _, shot := range []struct {
		name, address string
		height        int64
	}{{"report.png", save(t, v), 1360}, {"live.png", url, 760}} {
		tab := open(t, chrome, shot.address, 1280)
		require.NoError(t, chromedp.Do(tab.ctx, chromedp.EmulateViewport(1280, shot.height)))
		png, err := chromedp.Run(tab.ctx, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		require.Less(t, len(png), 300_000, shot.name)
		if *update {
			require.NoError(t, os.WriteFile(filepath.Join("..", "..", "..", "..", "docs", shot.name), png, 0o644))
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
