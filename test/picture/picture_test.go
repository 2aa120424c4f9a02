package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"
	"time"
)

// TestAssemble: played back, every frame shows what was seen, as long as it was.
func TestAssemble(t *testing.T) {
	begin := time.Now()
	red, blue := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}
	seen := func(ms int, dots ...image.Point) frame {
		m := image.NewRGBA(image.Rect(0, 0, 8, 6))
		for i := range m.Pix {
			m.Pix[i] = 255
		}
		for i, dot := range dots {
			m.SetRGBA(dot.X, dot.Y, []color.RGBA{red, blue}[i%2])
		}
		return frame{begin.Add(time.Duration(ms) * time.Millisecond), m}
	}
	all := []frame{seen(0), seen(100, image.Pt(2, 3)), seen(200, image.Pt(2, 3)), seen(350, image.Pt(2, 3), image.Pt(7, 5)), seen(400)}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, assemble(all, time.Second)); err != nil {
		t.Fatal(err)
	}
	made, err := gif.DecodeAll(&out)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		frame int
		delay int
	}{{0, 10}, {1, 25}, {3, 5}, {4, 100}}
	if len(made.Image) != len(want) {
		t.Fatalf("%d frames", len(made.Image))
	}
	canvas := image.NewRGBA(image.Rect(0, 0, 8, 6))
	for i, m := range made.Image {
		for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
			for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
				if _, _, _, a := m.At(x, y).RGBA(); a > 0 {
					canvas.Set(x, y, m.At(x, y))
				}
			}
		}
		if made.Delay[i] != want[i].delay {
			t.Errorf("frame %d stands for %d, not %d", i, made.Delay[i], want[i].delay)
		}
		if shown := all[want[i].frame].what; !bytes.Equal(canvas.Pix, shown.Pix) {
			t.Errorf("frame %d shows something else", i)
		}
	}
	if r := made.Image[1].Rect; r != image.Rect(2, 3, 3, 4) {
		t.Errorf("the second frame is %v: more than what changed", r)
	}
}
