// Package page writes what was measured as a page of Markdown and plots in
// SVG. It is for the benchmark, and knows nothing of what it shows.
package page

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A Page is Markdown that grows. The zero value is empty.
type Page struct{ b strings.Builder }

// Heading begins a section.
func (p *Page) Heading(level int, text string) {
	p.block(strings.Repeat("#", level) + " " + text)
}

// Text adds a paragraph.
func (p *Page) Text(format string, args ...any) { p.block(fmt.Sprintf(format, args...)) }

// Image shows a picture that lies beside the page.
func (p *Page) Image(path, alt string) { p.block(fmt.Sprintf("![%s](%s)", alt, path)) }

// Table adds a table: the titles of its columns, and its rows.
func (p *Page) Table(titles []string, rows [][]string) {
	var b strings.Builder
	line := func(cells []string) {
		escaped := make([]string, len(cells))
		for i, c := range cells {
			escaped[i] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(c)
		}
		b.WriteString("| " + strings.Join(escaped, " | ") + " |\n")
	}
	line(titles)
	b.WriteString(strings.Repeat("|---", len(titles)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	p.block(strings.TrimSuffix(b.String(), "\n"))
}

// String returns the page so far.
func (p *Page) String() string { return p.b.String() }

func (p *Page) block(s string) {
	if p.b.Len() > 0 {
		p.b.WriteByte('\n')
	}
	p.b.WriteString(s + "\n")
}

// Count shows a number with three figures that count, and thousands apart.
func Count(x float64) string {
	switch {
	case math.IsNaN(x):
		return "-"
	case math.Abs(x) < 100:
		return fmt.Sprintf("%.3g", x)
	}
	if x < 0 {
		return "-" + Count(-x)
	}
	digits := fmt.Sprintf("%.0f", x)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Duration shows a time with three figures that count.
func Duration(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	case d >= time.Microsecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	default:
		return fmt.Sprintf("%d ns", d)
	}
}
