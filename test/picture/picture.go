// Package picture makes a moving picture of what a page shows.
package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
)

// frame is what was seen, and since when.
type frame struct {
	at   time.Time
	what *image.RGBA
}

// Reel is a recording under way.
type Reel struct {
	stop chan struct{}
	done chan struct{}
	all  []frame
}

// Record takes pictures of the page, as fast as it gives them, until [Reel.GIF].
// Meanwhile the page may be used from other goroutines.
func Record(p *chrome.Page) *Reel {
	r := &Reel{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for {
			select {
			case <-r.stop:
				return
			default:
			}
			at := time.Now()
			shot, err := chromedp.Run(p.Ctx, chromedp.CaptureScreenshot())
			if err != nil {
				p.TB.Errorf("%s: no picture: %v", p.Name, err)
				return
			}
			decoded, err := png.Decode(bytes.NewReader(shot))
			if err != nil {
				p.TB.Errorf("%s: no picture: %v", p.Name, err)
				return
			}
			r.all = append(r.all, frame{at, rgba(decoded)})
		}
	}()
	return r
}

// GIF ends the recording. The picture begins anew after its last frame has
// stood for rest.
func (r *Reel) GIF(tb testing.TB, rest time.Duration) []byte {
	tb.Helper()
	close(r.stop)
	<-r.done
	if len(r.all) == 0 {
		tb.Fatal("nothing was recorded")
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, assemble(r.all, rest)); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func rgba(m image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: m.Bounds().Size()})
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, m.At(m.Bounds().Min.X+x, m.Bounds().Min.Y+y))
		}
	}
	return out
}

// assemble makes of each frame what has changed since the one before.
func assemble(all []frame, rest time.Duration) *gif.GIF {
	made := &gif.GIF{LoopCount: 0}
	paint := newPainter(all)
	var last *image.RGBA
	for i, f := range all {
		until := f.at.Add(rest)
		if i+1 < len(all) {
			until = all[i+1].at
		}
		centiseconds := int(until.Sub(f.at) / (10 * time.Millisecond))
		changed := f.what.Rect
		if last != nil {
			changed = difference(last, f.what)
		}
		if changed.Empty() {
			made.Delay[len(made.Delay)-1] += centiseconds
			continue
		}
		made.Image = append(made.Image, paint.paint(f.what, last, changed))
		made.Delay = append(made.Delay, centiseconds)
		made.Disposal = append(made.Disposal, gif.DisposalNone)
		last = f.what
	}
	return made
}

// difference is the smallest rectangle that holds all that differs.
func difference(a, b *image.RGBA) image.Rectangle {
	var out image.Rectangle
	for y := range b.Rect.Dy() {
		for x := range b.Rect.Dx() {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				out = out.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return out
}

// painter turns colours into the 255 that a picture may have; the first of the
// palette stands for what did not change.
type painter struct {
	palette color.Palette
	index   map[color.RGBA]uint8
}

// newPainter takes the colours that are seen most.
func newPainter(all []frame) *painter {
	seen := map[color.RGBA]int{}
	for _, f := range all {
		for i := 0; i < len(f.what.Pix); i += 4 {
			seen[color.RGBA{f.what.Pix[i], f.what.Pix[i+1], f.what.Pix[i+2], 255}]++
		}
	}
	colors := make([]color.RGBA, 0, len(seen))
	for c := range seen {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(a, b color.RGBA) int {
		if seen[a] != seen[b] {
			return seen[b] - seen[a]
		}
		return int(a.R)<<16 + int(a.G)<<8 + int(a.B) - (int(b.R)<<16 + int(b.G)<<8 + int(b.B))
	})
	p := &painter{palette: color.Palette{color.RGBA{}}, index: map[color.RGBA]uint8{}}
	for _, c := range colors[:min(255, len(colors))] {
		p.palette = append(p.palette, c)
	}
	return p
}

// paint makes a frame of the rectangle; what is as in last is left out.
func (p *painter) paint(now, last *image.RGBA, r image.Rectangle) *image.Paletted {
	out := image.NewPaletted(r, p.palette)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := now.RGBAAt(x, y)
			if last == nil || last.RGBAAt(x, y) != c {
				out.SetColorIndex(x, y, p.of(c))
			}
		}
	}
	return out
}

// of is the place of the nearest colour.
func (p *painter) of(c color.RGBA) uint8 {
	c.A = 255
	i, known := p.index[c]
	if !known {
		i = uint8(1 + p.palette[1:].Index(c)) // at most 255
		p.index[c] = i
	}
	return i
}
