package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// report is what the command prints.
type report struct {
	Machine machine `json:"machine"`
	Runs    []taken `json:"runs"`
}

// machine is where and with what was measured.
type machine struct {
	load.Machine
	Node     string    `json:"node,omitempty"`
	Postgres string    `json:"postgres,omitempty"`
	Fsync    float64   `json:"fsyncMs"` // median of 4 KiB appended
	Date     time.Time `json:"date"`
	Rounds   int       `json:"rounds"`
	Seconds  float64   `json:"seconds"` // of each run
}

func (w *workshop) machine(o options) machine {
	m := machine{Machine: load.ThisMachine(o.pin), Fsync: w.fsync(), Date: time.Now(), Rounds: o.rounds, Seconds: o.seconds}
	m.Node = version("node")
	if dir, err := postgresBinaries(); err == nil {
		m.Postgres = version(filepath.Join(dir, "postgres"))
	}
	return m
}

// version is what a program calls its version; "" if it is not there.
func version(program string) string {
	text, _ := exec.Command(program, "--version").Output()
	return strings.TrimSpace(string(text))
}

// fsync is how many milliseconds the disk under the servers takes; 0 if it
// cannot be told.
func (w *workshop) fsync() float64 {
	f, err := os.CreateTemp(w.dir, "fsync")
	if err != nil {
		return 0
	}
	defer f.Close()
	times := make([]time.Duration, 101)
	for i := range times {
		start := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0
		}
		if err := f.Sync(); err != nil {
			return 0
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2].Seconds() * 1000
}

func (m machine) String() string {
	s := m.Machine.String()
	if m.Node != "" {
		s += ", Node.js " + m.Node
	}
	if m.Postgres != "" {
		s += ", " + m.Postgres
	}
	return s + fmt.Sprintf(", fsync %.2g ms. %s, medians of %d rounds of %g s.", m.Fsync, m.Date.Format(time.DateOnly), m.Rounds, m.Seconds)
}

// table prints the medians in Markdown.
func (r report) table(out io.Writer, servers []peer, measured []bench) error {
	head, rule := "| server | ack says |", "|---|---|"
	for _, b := range measured {
		for _, c := range b.show {
			head += " " + c.title + " |"
			rule += "--:|"
		}
	}
	lines := []string{head, rule}
	for _, p := range servers {
		line := "| " + p.title + " | " + p.durable + " |"
		for _, b := range measured {
			for _, c := range b.show {
				line += " " + r.cell(p.name, b.name, c.figure) + " |"
			}
		}
		lines = append(lines, line)
	}
	_, err := fmt.Fprintf(out, "%s\n\n%s\n", strings.Join(lines, "\n"), r.Machine)
	return err
}

// cell is the median of a figure. A run in which something was refused or
// missed does not count. One whose generator had no time left says only what
// the server did at least, and of its latency nothing.
func (r report) cell(peer, bench, figure string) string {
	var values []float64
	sound, atLeast, unit := 0, false, ""
	for _, t := range r.Runs {
		if t.Peer != peer || t.Bench != bench || t.Run.Faults > 0 {
			continue
		}
		sound++
		atLeast = atLeast || t.Run.Load > load.MaxLoad
		for _, f := range t.Run.Figures {
			if f.Name == figure {
				values, unit = append(values, f.Value), f.Unit
			}
		}
	}
	switch {
	case sound == 0:
		return "failed"
	case len(values) == 0:
		return "-" // not to be told here
	}
	slices.Sort(values)
	median := (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	switch {
	case atLeast && unit == "ms":
		return "-"
	case atLeast && unit == "/s":
		return "> " + digits(median)
	case median == 0 && figure == highest:
		return "< " + digits(rates[0])
	case unit == "/s":
		return digits(median)
	}
	return digits(median) + " " + unit
}

// digits shows three significant digits, thousands with commas.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(v))))
	s := fmt.Sprintf("%.*f", max(0, int(math.Log10(scale))), math.Round(v*scale)/scale)
	for at := len(s) - 3; at > 0 && !strings.Contains(s, "."); at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
