package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

func round(load_ float64, faults int, acked float64) load.Result {
	return load.Result{Bench: "moves", Setting: "as ever", Load: load_, Faults: faults, Figures: load.Figures{{Name: "acked", Value: acked, Unit: "/s"}}}
}

func TestBenchReport_MedianOfTheRoundsThatCount(t *testing.T) {
	var r benchReport
	for _, one := range []load.Result{round(0.5, 0, 300), round(0.95, 0, 9000), round(0.5, 0, 100), round(0.5, 3, 7000), round(0.5, 0, 200)} {
		r.add([]load.Result{one})
	}
	if len(r.Lines) != 1 {
		t.Fatalf("%d lines", len(r.Lines))
	}
	f := r.Lines[0].Figures[0]
	if f.Value != 200 || f.Min != 100 || f.Max != 300 {
		t.Errorf("median %v of %v … %v", f.Value, f.Min, f.Max)
	}
	if err := r.fault(); err != nil {
		t.Errorf("three good rounds are enough: %v", err)
	}
	var out bytes.Buffer
	if err := r.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"200 /s", "100 … 300", "95 % of its core", "3 mutations were refused"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestBenchReport_AGeneratorThatMeasuredItselfIsNotQuoted(t *testing.T) {
	var r benchReport
	r.add([]load.Result{round(0.95, 0, 9000)})
	if err := r.fault(); err == nil || !strings.Contains(err.Error(), "95 %") {
		t.Errorf("fault %v", err)
	}
	var out bytes.Buffer
	if err := r.write(&out); err != nil || strings.Contains(out.String(), "9000") || len(r.Lines[0].Rounds[0].Figures) > 0 {
		t.Errorf("%v: quoted all the same:\n%s", err, &out)
	}
}

func TestBench_WhatIsTypedWrongIsNamed(t *testing.T) {
	for args, want := range map[string]string{
		"bench moves --rounds=0":                         "--rounds=0",
		"bench hot --time=1ms":                           "--time=1ms",
		"bench hot --url=https://example.org":            "--url=https://example.org",
		"bench hot --url=http://localhost:1 --pin":       "--pin",
		"bench hot --token=x":                            "--token",
		"bench hot --nodes=2":                            "--nodes=2",
		"bench hot --nodes=3 --url=http://localhost:1":   "--nodes",
		"bench hot --url=http://localhost:1 --profile=x": "--profile",
		"bench": "expected one of",
	} {
		var out, errs bytes.Buffer
		err := run(t.Context(), strings.Fields(args), &out, &errs)
		if exitCode(err) != 2 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v (exit %d)", args, err, exitCode(err))
		}
	}
}
