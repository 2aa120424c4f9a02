package domain

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestTooDeep(t *testing.T) {
	for raw, want := range map[string]bool{
		nested(MaxDepth):     false,
		nested(MaxDepth + 1): true,
		`["` + strings.Repeat(`\"[`, MaxDepth+1) + `"]`:                             false,
		strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth):     false,
		strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1): true,
		"[" + strings.Repeat("[],", MaxDepth) + "[]]":                               false,
	} {
		if got := TooDeep([]byte(raw)); got != want {
			t.Errorf("%.20s… (%d bytes): %v", raw, len(raw), got)
		}
	}
}

func TestTooDeep_WhatIsNotIsReadBackFromARecord(t *testing.T) {
	value := json.RawMessage(nested(MaxDepth))
	cmd := Command{ID: "m", Op: OpMutate, User: "ann", Changes: []Change{{EntityID: "a", If: Fields{"x-a": value}, Patch: Patch{"x-a": value}}}}
	raw, _, err := (&Commit{V: 1, Board: "b", At: time.Unix(0, 0), Decisions: []Decision{{Command: cmd, Rejection: reject(Conflict, "no")}}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := DecodeCommit(raw); err != nil {
		t.Error(err)
	}
}

func TestARecordOfAnyJSONIsReadBack(t *testing.T) {
	card := &Entity{ID: "c", Kind: KindCard, Fields: Fields{"x-a": json.RawMessage(`{"b":1e400}`)}}
	cmd := Command{ID: "m", Op: OpMutate, User: "ann"}
	raw, _, err := (&Commit{V: 1, Board: "b", At: time.Unix(0, 0), Decisions: []Decision{{Command: cmd, Rejection: reject(Conflict, "no", "entity", card)}}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := DecodeCommit(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(c.Decisions[0].Rejection.Details["entity"]); err != nil || !strings.Contains(string(got), `"x-a":{"b":1e400}`) {
		t.Errorf("%s %v", got, err)
	}
}
