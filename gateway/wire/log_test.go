package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// logged are decisions as the log has them and the lines that tell them.
var logged = []struct{ name, stored, line string }{
	{"a move",
		`{"id":"m1","op":"mutate","user":"ann","name":"Ann","session":"s1","grant":"open","receivedAt":"2026-03-01T10:04:12.02Z","deadline":"2026-03-01T10:04:16.02Z","after":"m0",
		 "changes":[{"entityId":"c1","patch":{"columnId":"done","position":{"after":null}},"if":{"title":"<b>"}}],"at":"2026-03-01T10:04:12.031Z","rev":46,
		 "events":[{"type":"card.moved","v":1,"rev":46,"entityId":"c1","before":{"columnId":"doing","position":"a1"},"after":{"columnId":"done","position":"a0"}}]}`,
		`{"outcome":"accepted","id":"m1","op":"mutate","user":"ann","name":"Ann","receivedAt":"2026-03-01T10:04:12.02Z","deadline":"2026-03-01T10:04:16.02Z",` +
			`"changes":[{"entityId":"c1","patch":{"columnId":"done","position":{"after":null}},"if":{"title":"\u003cb\u003e"}}],"at":"2026-03-01T10:04:12.031Z","rev":46,` +
			`"events":[{"type":"card.moved","v":1,"rev":46,"entityId":"c1","before":{"columnId":"doing","position":"a1"},"after":{"columnId":"done","position":"a0"}}]}`},
	{"a refusal",
		`{"id":"m2","op":"mutate","user":"bob","grant":"editor","receivedAt":"2026-03-01T10:04:12Z","deadline":"2026-03-01T10:04:16Z","changes":[{"entityId":"c2","patch":null}],
		 "at":"2026-03-01T10:04:13Z","clock":"2026-03-01T10:04:12Z","rev":46,"rejection":{"code":"wip_limit","reason":"full","details":{"columnId":"doing","limit":3,"count":3}}}`,
		`{"outcome":"refused","id":"m2","op":"mutate","user":"bob","receivedAt":"2026-03-01T10:04:12Z","deadline":"2026-03-01T10:04:16Z","changes":[{"entityId":"c2","patch":null}],` +
			`"at":"2026-03-01T10:04:13Z","clock":"2026-03-01T10:04:12Z","rev":46,"rejection":{"code":"wip_limit","reason":"full","details":{"columnId":"doing","count":3,"limit":3}}}`},
	{"an upload does not say where it lies",
		`{"id":"m3","op":"mutate","user":"bob","receivedAt":"2026-03-01T10:04:12Z","deadline":"2026-03-01T10:04:16Z",
		 "changes":[{"entityId":"f1","patch":{},"content":{"object":"SECRET","size":5,"contentType":"text/plain","sha256":"ab"}}],"at":"2026-03-01T10:04:13Z","rev":47,
		 "events":[{"type":"file.replaced","v":1,"rev":47,"entityId":"f1","before":{"object":"SECRET0","sha256":"cd"},"after":{"object":"SECRET","sha256":"ab"}}]}`,
		`{"outcome":"accepted","id":"m3","op":"mutate","user":"bob","receivedAt":"2026-03-01T10:04:12Z","deadline":"2026-03-01T10:04:16Z",` +
			`"changes":[{"entityId":"f1","patch":{},"content":{"size":5,"contentType":"text/plain","sha256":"ab"}}],"at":"2026-03-01T10:04:13Z","rev":47,` +
			`"events":[{"type":"file.replaced","v":1,"rev":47,"entityId":"f1","before":{"sha256":"cd"},"after":{"sha256":"ab"}}]}`},
}

func TestLogged(t *testing.T) {
	t.Parallel()
	for _, tt := range logged {
		var d domain.Decision
		if err := json.Unmarshal([]byte(tt.stored), &d); err != nil {
			t.Fatal(err)
		}
		stored, err := json.Marshal(&d)
		if err != nil {
			t.Fatal(err)
		}
		l := NewLogged(&d)
		line, err := AppendLogged([]byte("before "), &l)
		if got := string(line); err != nil || got != "before "+tt.line+"\n" {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.name, err, got, tt.line)
		}
		if std, err := json.Marshal(l); err != nil || string(std) != tt.line {
			t.Errorf("%s: encoding/json has (%v)\n%s", tt.name, err, std)
		}
		if after, err := json.Marshal(&d); err != nil || string(after) != string(stored) {
			t.Errorf("%s: the decision was changed to %s", tt.name, after)
		}
		l.Record = &LoggedRecord{Seq: 7, Hash: domain.Hash{1, 2}, Stored: time.Date(2026, 3, 1, 10, 4, 12, 5, time.UTC), Index: 1}
		l.Words, l.Asked = []string{"moved «x» <b>"}, "move «x»"
		full, err := AppendLogged(nil, &l)
		if std, err2 := json.Marshal(l); err != nil || err2 != nil || string(std)+"\n" != string(full) {
			t.Errorf("%s: with record and words (%v)\n got %s\nwant %s", tt.name, err, full, std)
		}
		var read Logged
		if err := json.Unmarshal([]byte(tt.line), &read); err != nil {
			t.Fatal(err)
		}
		if again, err := AppendLogged(nil, &read); err != nil || string(again) != tt.line+"\n" {
			t.Errorf("%s: read and written again (%v)\n%s", tt.name, err, again)
		}
	}
}

func TestLogged_SaysWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	l := NewLogged(&domain.Decision{At: time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)})
	if _, err := AppendLogged(nil, &l); err == nil || !strings.Contains(err.Error(), "year") {
		t.Errorf("%v", err)
	}
}
