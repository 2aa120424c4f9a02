package main

import (
	"io"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/eventlog"
)

func TestRebuild_OfALogAndOfANode(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := serve(t, "--data="+data)
	if out, err := snapback(t, "import", "trello", sample, "--server="+s.url); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{}, {"--check"}, {"demo", "--check"}, {"--after=demo"}} {
		out, err := snapback(t, append([]string{"rebuild", "--admin-server=" + s.admin}, args...)...)
		if err != nil || !strings.Contains(out, "records/s): everything is as the log says.") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	d := direct{Data: data}
	log, end, err := d.open(t.Context(), streams{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	_, revision, err := log.StoredListing(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := log.ReplaceListing(t.Context(), eventlog.Listing{Board: "demo", Title: "Not this", Seq: 1}, revision); err != nil {
		t.Fatal(err)
	}
	end()
	out, err := snapback(t, "rebuild", "--data="+data, "--check")
	if err == nil || exitCode(err) != 1 || !strings.Contains(out, `board demo, directory at record 1: `) || !strings.Contains(out, `title "Not this", the log gives`) || !strings.Contains(out, ": 1 difference.") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = snapback(t, "rebuild", "--data="+data)
	if err != nil || !strings.Contains(out, "(put right)") || !strings.Contains(out, ": 1 difference, all put right.") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = snapback(t, "rebuild", "--data="+data, "--check"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := snapback(t, "rebuild", "nothing", "--data="+data); err == nil || !strings.Contains(err.Error(), "no board nothing") {
		t.Errorf("error: %v", err)
	}
	if _, err := snapback(t, "rebuild", "--admin-server=http://127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "no answer from http://127.0.0.1:1") {
		t.Errorf("error: %v", err)
	}
	if _, err := snapback(t, "rebuild", "--admin-server=nonsense"); exitCode(err) != 2 {
		t.Errorf("error: %v", err)
	}
}
