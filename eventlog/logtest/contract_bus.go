package logtest

import (
	"testing"

	"github.com/snapback-io/snapback/eventlog"
)

// ContractBus checks what every bus between nodes promises. open gives another
// node's place on the same bus each time.
func ContractBus(t *testing.T, open func(t *testing.T, node string) eventlog.Bus) {
	heard, lost := make(chan string, 100), make(chan string, 100)
	a, b := open(t, "a"), open(t, "b")
	stopA, err := a.Listen("a", func(data []byte) { heard <- string(data) }, func(node string) { lost <- node })
	if err != nil {
		t.Fatal(err)
	}
	defer stopA()
	stopB, err := b.Listen("b", func([]byte) {}, func(node string) { t.Errorf("%s is lost to who did not ask", node) })
	if err != nil {
		t.Fatal(err)
	}
	beat := func(text string) {
		if err := b.Beat([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, heard); got != text {
			t.Fatalf("heard %q, not %q", got, text)
		}
	}
	probe := func(node string) {
		if err := a.Probe(node); err != nil {
			t.Fatal(err)
		}
	}
	beat("one")
	probe("b") // is there
	probe("c") // never was
	if got := receive(t, lost); got != "c" {
		t.Fatalf("%s is lost, not c", got)
	}
	stopB()
	beat("two") // stopB has reached the server
	probe("b")
	if got := receive(t, lost); got != "b" {
		t.Fatalf("%s is lost, not b", got)
	}
}
