package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// benchReport is what `snapback bench` prints; --json prints it as it is.
type benchReport struct {
	Machine load.Machine `json:"machine"`
	Date    time.Time    `json:"date"`
	Small   bool         `json:"smallCards"`
	Lines   []*benchLine `json:"benches"`
}

// benchLine is one measurement in all its rounds.
type benchLine struct {
	Bench   string        `json:"bench"`
	Setting string        `json:"setting"`
	Figures []benchFigure `json:"figures,omitempty"` // medians of the quoted rounds; none if there is none
	Rounds  []load.Result `json:"rounds"`            // those that are not quoted keep no figures
	Unfit   []string      `json:"notQuoted,omitempty"`
}

type benchFigure struct {
	load.Figure
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// add takes in one round.
func (r *benchReport) add(results []load.Result) {
	for _, one := range results {
		i := slices.IndexFunc(r.Lines, func(l *benchLine) bool { return l.Bench == one.Bench && l.Setting == one.Setting })
		if i < 0 {
			i = len(r.Lines)
			r.Lines = append(r.Lines, &benchLine{Bench: one.Bench, Setting: one.Setting})
		}
		r.Lines[i].add(one)
	}
}

func (l *benchLine) add(one load.Result) {
	switch {
	case one.Load > load.MaxLoad:
		l.Unfit = append(l.Unfit, fmt.Sprintf("the load generator was at %.0f %% of its core and measured itself", 100*one.Load))
	case one.Faults > 0:
		l.Unfit = append(l.Unfit, fmt.Sprintf("%d mutations were refused or changes missed", one.Faults))
	}
	if !one.Quotable() {
		one.Figures = nil
	}
	l.Rounds = append(l.Rounds, one)
	l.Figures = nil
	for _, f := range one.Figures {
		l.Figures = append(l.Figures, l.median(f))
	}
	if one.Figures == nil && len(l.Rounds) > 1 {
		for _, earlier := range l.Rounds {
			if earlier.Figures != nil {
				l.Figures = nil
				for _, f := range earlier.Figures {
					l.Figures = append(l.Figures, l.median(f))
				}
			}
		}
	}
}

// median of the figure over the rounds that have it.
func (l *benchLine) median(f load.Figure) benchFigure {
	var values []float64
	for _, r := range l.Rounds {
		for _, g := range r.Figures {
			if g.Name == f.Name {
				values = append(values, g.Value)
			}
		}
	}
	slices.Sort(values)
	n := len(values)
	f.Value = (values[(n-1)/2] + values[n/2]) / 2
	return benchFigure{f, values[0], values[n-1]}
}

// fault says that something may not be quoted.
func (r *benchReport) fault() error {
	var unfit []string
	for _, l := range r.Lines {
		if len(l.Figures) == 0 && len(l.Unfit) > 0 {
			unfit = append(unfit, l.Bench+": "+l.Unfit[0])
		}
	}
	if len(unfit) == 0 {
		return nil
	}
	return errors.New(strings.Join(unfit, "; "))
}

// write prints the table for people.
func (r *benchReport) write(w io.Writer) error {
	cards := "2.6 KiB"
	if r.Small {
		cards = "200 byte"
	}
	fmt.Fprintf(w, "%s, %s cards, %s\n\n", r.Machine, cards, r.Date.Format(time.DateOnly))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "bench\tsetting\tfigure\tmedian\tmin … max\tgenerator")
	for _, l := range r.Lines {
		generator := 0.0
		for _, one := range l.Rounds {
			generator = max(generator, one.Load)
		}
		for i, f := range l.Figures {
			bench, setting, load := "", "", ""
			if i == 0 {
				bench, setting, load = l.Bench, l.Setting, fmt.Sprintf("%.0f %%", 100*generator)
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s %s\t%s … %s\t%s\n", bench, setting, f.Name, digits(f.Value), f.Unit, digits(f.Min), digits(f.Max), load)
		}
		for _, one := range l.Rounds {
			if one.Note != "" {
				fmt.Fprintf(t, "\t\t%s\t\t\t\n", one.Note)
			}
		}
		for _, why := range l.Unfit {
			fmt.Fprintf(t, "%s\t%s\tnot quoted: %s\t\t\t\n", l.Bench, l.Setting, why)
		}
	}
	return t.Flush()
}

// digits shows three significant digits, and whole numbers above 100.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(math.Abs(v))))), v)
}
