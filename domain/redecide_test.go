package domain

import (
	"bytes"
	"testing"
)

func TestRedecideTakesADecisionAgain(t *testing.T) {
	t.Parallel()
	r := newDice(11)
	w := newWorld(t).withUsers().columns("column0", "column1").cards("column0", "card0", "card1")
	b := NewBoard("b")
	for range 300 {
		w.run(w.aCommand(r))
	}
	for i, data := range w.log {
		c, hash, err := DecodeCommit(data)
		if err != nil {
			t.Fatal(err)
		}
		again := Redecide(b, &c.Decisions[0])
		enc, err := again.AppendStored([]byte("x"))
		if err != nil || !bytes.HasSuffix(data, append(enc[1:], "]}"...)) {
			t.Fatalf("decided again: %v\n%s\n%s", err, enc, data)
		}
		if err := b.Apply(c, hash, uint64(i+1), c.At, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOversizeIsTheWorkersRefusalOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cmd := w.command("ann", `{"entityId":"b","patch":{"title":"x"}}`)
	for _, test := range []struct {
		r     *Rejection
		limit int
	}{
		{nil, 0}, {&Rejection{Code: Invalid, Details: Details{"limit": 3}}, 0}, {&Rejection{Code: TooLarge}, 0},
		{&Rejection{Code: TooLarge, Details: Details{"limit": 3, "count": 4}}, 0}, {&Rejection{Code: TooLarge, Details: Details{"limit": 1.5}}, 0},
		{&Rejection{Code: TooLarge, Details: Details{"limit": -1}}, 0}, {&Rejection{Code: TooLarge, Details: Details{"limit": 4096}}, 4096},
	} {
		d := Refuse(w.board, cmd, w.now, test.r)
		var read Decision
		if err := unmarshal(encoded(t, d), &read); err != nil {
			t.Fatal(err)
		}
		for _, d := range []Decision{d, read} {
			if limit, ok := d.Oversize(); limit != test.limit && ok || ok != (test.limit > 0) {
				t.Errorf("%+v: %d %v", test.r, limit, ok)
			}
			if again := Redecide(w.board, &d); (again.Rejection != nil) != (test.limit > 0) {
				t.Errorf("%+v is decided again: %+v", test.r, again.Rejection)
			}
		}
	}
}
