package tamper

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/notary"
)

// A board whose last record the server cannot read is not an empty one, to
// which somebody could write another first record: it cannot be loaded.
func TestAnUnreadableLastRecordIsNoEmptyBoard(t *testing.T) {
	w := build(t)
	log, stop := start(t, w.change(t, true, func(list []Message) []Message {
		list[index(list, w.lastA)].Data[20] ^= 1
		return list
	}))
	defer stop()
	began := time.Now()
	_, err := log.Head(t.Context(), "a")
	if !errors.Is(err, eventlog.ErrUnreadable) || !strings.Contains(err.Error(), "board a: ") || !strings.Contains(err.Error(), "EVT_0 counts 20 records") {
		t.Errorf("its head: %v", err)
	}
	if b, err := eventlog.LoadBoard(t.Context(), log, "a"); !errors.Is(err, eventlog.ErrUnreadable) {
		t.Errorf("loaded: %v, %v", b, err)
	}
	for _, err = range log.ReadRaw(t.Context(), "a", 1, w.lastA) {
	}
	if !errors.Is(err, eventlog.ErrUnreadable) {
		t.Errorf("read up to it: %v", err)
	}
	if took := time.Since(began); took > 20*time.Second { // each would wait for 15 s
		t.Errorf("it took %v to say so", took)
	}
	if b, err := eventlog.LoadBoard(t.Context(), log, "b"); err != nil || b.Rev() == 0 {
		t.Errorf("the other board: %v", err)
	}
	if head, err := log.Head(t.Context(), "none"); head != 0 || err != nil {
		t.Errorf("a board that is none: %d, %v", head, err)
	}
	if b, err := eventlog.LoadBoard(t.Context(), log, "none"); err != nil || b.Rev() != domain.NewBoard("none").Rev() {
		t.Errorf("a board that is none: %v", err)
	}

	// Why it matters: the server itself knows of none.
	data, hash, err := (&domain.Commit{V: domain.CommitVersion, Board: "a", At: began.UTC()}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), "a", data, hash, 0); err != nil {
		t.Errorf("the server takes another first one no more: %v", err)
	}
}

// A notary, and a server that starts, say which record they cannot read.
func TestANotaryNamesWhatItCannotRead(t *testing.T) {
	w := build(t)
	for _, seq := range []uint64{w.rename, w.last} {
		dir := w.change(t, true, func(list []Message) []Message {
			list[index(list, seq)].Data[20] ^= 1
			return list
		})
		log, stop := start(t, dir)
		private, _, err := proof.NewKey(rand.Reader, "test")
		if err != nil {
			t.Fatal(err)
		}
		signer, err := proof.ParseSigner(private)
		if err != nil {
			t.Fatal(err)
		}
		n, err := notary.New(notary.Config{Log: log, Signer: signer, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Checkpoint(t.Context(), 0)
		if !errors.Is(err, proof.ErrContradiction) || n.Fault() == nil || !strings.Contains(err.Error(), fmt.Sprint(" ", seq, " ")) {
			t.Errorf("record %d: %v, fault %v", seq, err, n.Fault())
		}
		stop()
	}
}
