package page_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/changeover-go/changeover/internal/bench/page"
)

func TestPage(t *testing.T) {
	var p page.Page
	p.Heading(1, "Title")
	p.Text("%d words.", 2)
	p.Table([]string{"a", "b"}, [][]string{{"1|2", "two\nlines"}})
	p.Image("x.svg", "what it shows")
	want := "# Title\n\n2 words.\n\n| a | b |\n|---|---|\n| 1\\|2 | two lines |\n\n![what it shows](x.svg)\n"
	if got := p.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"1.15":      page.Count(1.149),
		"0.00423":   page.Count(0.004231),
		"100":       page.Count(100),
		"1,234,567": page.Count(1234567.4),
		"-123":      page.Count(-123),
		"-12,345":   page.Count(-12345),
		"-":         page.Count(math.NaN()),
		"12 ns":     page.Duration(12),
		"1.5 µs":    page.Duration(1500),
		"20 ms":     page.Duration(20 * time.Millisecond),
		"1.2 s":     page.Duration(1200 * time.Millisecond),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAPlotIsWellFormed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plot.svg")
	plot := page.Plot{Title: "Title", X: "x", Y: "y", Lines: []page.Line{
		{Name: "one <of> them", X: []float64{1, 10, 100}, Y: []float64{3, 0, 300}},
		{Name: "nothing"},
	}}
	if err := plot.Write(path); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for tokens := xml.NewDecoder(f); ; {
		if _, err := tokens.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
