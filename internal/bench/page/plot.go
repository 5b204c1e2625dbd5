package page

import (
	"bytes"
	"fmt"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const width, height = 10 * vg.Inch, 5 * vg.Inch

// A Plot has lines over axes that are both logarithmic.
type Plot struct {
	Title, X, Y string
	Lines       []Line
}

// A Line is what one name stands for.
type Line struct {
	Name   string
	X, Y   []float64
	Dashed bool // a limit, not a contender
}

// Write draws the plot as SVG into a file.
func (p Plot) Write(path string) error {
	drawing, err := p.draw()
	if err != nil {
		return err
	}
	canvas := vgsvg.New(width, height)
	put(drawing, draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	return os.WriteFile(path, append(bytes.TrimRight(b.Bytes(), "\n"), '\n'), 0o644)
}

// put draws the legend to the right of everything else, where it hides nothing.
// The space is larger than what its text takes here: whoever shows the picture
// may have other fonts.
func put(drawing *plot.Plot, canvas draw.Canvas) {
	legend := drawing.Legend
	legend.Top, legend.Left = true, true
	room := legend.Rectangle(canvas).Size().X*13/10 + vg.Points(10)
	drawing.Legend = plot.NewLegend()
	drawing.Draw(draw.Crop(canvas, 0, -room, 0, 0))
	legend.Draw(draw.Crop(canvas, canvas.Size().X-room+vg.Points(10), 0, 0, -vg.Points(20)))
}

func (p Plot) draw() (*plot.Plot, error) {
	drawing := plot.New()
	drawing.Title.Text, drawing.X.Label.Text, drawing.Y.Label.Text = p.Title, p.X, p.Y
	drawing.X.Scale, drawing.Y.Scale = plot.LogScale{}, plot.LogScale{}
	drawing.X.Tick.Marker, drawing.Y.Tick.Marker = decades{}, decades{}
	drawing.Add(plotter.NewGrid())
	drawing.Legend.TextStyle.Font.Size, drawing.Legend.Padding = vg.Points(9), vg.Points(3)
	for i, l := range p.Lines {
		points := make(plotter.XYs, 0, len(l.X))
		for j := range l.X {
			if l.X[j] > 0 && l.Y[j] > 0 { // what has a logarithm
				points = append(points, plotter.XY{X: l.X[j], Y: l.Y[j]})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("plot %q: %w", l.Name, err)
		}
		line.Width = vg.Points(1.5)
		round := i / len(plotutil.DefaultColors) // a color that comes again has another form
		line.Color, dots.Color, dots.Shape = plotutil.Color(i), plotutil.Color(i), plotutil.Shape(3+round)
		if l.Dashed {
			line.Dashes = plotutil.Dashes(1 + round)
		}
		drawing.Add(line, dots)
		drawing.Legend.Add(l.Name, line, dots)
	}
	return drawing, nil
}

// decades are ticks at the powers of ten, with a small one at each of their
// multiples.
type decades struct{}

// Ticks implements [plot.Ticker].
func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			label := ""
			if m == 1 {
				label = Count(v)
			}
			ticks = append(ticks, plot.Tick{Value: v, Label: label})
		}
	}
	return ticks
}
