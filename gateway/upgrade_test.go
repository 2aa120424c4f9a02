package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/gateway/wire"
)

// connect opens a socket and gives the first frame and, if it is closed after
// that frame, the close code.
func (s *site) connect(board, protocols string, first string, header ...string) (status int, frame string, code int) {
	s.t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	dialer := websocket.Dialer{}
	if protocols != "" {
		dialer.Subprotocols = strings.Split(protocols, ", ")
	}
	ws, resp, err := dialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/v1/boards/"+board+"/ws", h)
	if err != nil {
		if resp == nil {
			s.t.Fatal(err)
		}
		return resp.StatusCode, "", 0
	}
	defer ws.Close()
	if got := ws.Subprotocol(); got != "" && got != "snapback.v1" {
		s.t.Errorf("the answer names %q", got)
	}
	if first != "" {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(first)); err != nil {
			s.t.Fatal(err)
		}
	}
	var closed *websocket.CloseError
	_, data, err := ws.ReadMessage()
	frame = string(data)
	if err == nil && !strings.Contains(frame, `"type":"hello"`) {
		_, _, err = ws.ReadMessage()
	}
	if errors.As(err, &closed) {
		code = closed.Code
	}
	return resp.StatusCode, frame, code
}

func TestSocket_CredentialsByHeaderSubprotocolOrFrame(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	s := newRealSite(t, Config{Auth: auth, BoardIDs: true, Origins: []string{"https://app.example"}})
	ann, eve := k.of("ann"), k.of("eve")
	token := func(h []string) string { return strings.TrimPrefix(h[1], "Bearer ") }
	s.must(201, "POST", "/v1/boards", `{"id":"b","title":"B"}`, ann...)
	frame := func(token string) string { return fmt.Sprintf(`{"type":"auth","token":%q}`, token) }
	for _, tt := range []struct {
		name             string
		protocols, first string
		header           []string
		status, code     int
	}{
		{"header", "snapback.v1", "", ann, 101, 0},
		{"header, no subprotocol", "", "", ann, 101, 0},
		{"subprotocol", "snapback.v1, snapback.bearer." + token(ann), "", nil, 101, 0},
		{"frame", "snapback.v1", frame(token(ann)), nil, 101, 0},
		{"bad header", "snapback.v1", "", []string{"Authorization", "Bearer x"}, 401, 0},
		{"bad subprotocol", "snapback.v1, snapback.bearer.x", "", nil, 101, 4500},
		{"bad frame", "snapback.v1", frame("x"), nil, 101, 4500},
		{"listed origin", "snapback.v1", "", append(ann[:2:2], "Origin", "https://app.example"), 101, 0},
		{"foreign origin", "snapback.v1", "", append(ann[:2:2], "Origin", "https://evil.example"), 403, 0},
		{"may not see it", "snapback.v1", "", eve, 101, 4502},
	} {
		status, got, code := s.connect("b", tt.protocols, tt.first, tt.header...)
		if status != tt.status || code != tt.code {
			t.Errorf("%s: %d, close %d, %s", tt.name, status, code, got)
		}
		if hello := strings.Contains(got, `"type":"hello"`) && strings.Contains(got, `"user":"ann"`); hello != (status == 101 && code == 0) {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	_, seen, code := s.connect("b", "snapback.v1", "", eve...)
	for _, board := range []string{"nosuch", "a%20b", "%3E", strings.Repeat("x", 65)} {
		if _, none, other := s.connect(board, "snapback.v1", "", eve...); none != seen || other != code {
			t.Errorf("%s: %s close %d; a board that is there: %s close %d", board, none, other, seen, code)
		}
	}
}

func TestDrain_NothingNewIsTakenOverHTTP(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	if err := s.s.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if r := s.admin("/readyz"); r.status != 503 || !strings.Contains(r.body, `"draining":true`) {
		t.Errorf("readyz: %d %s", r.status, r.body)
	}
	if got := s.must(503, "POST", "/api/posts/c1/like", "").code(t); got != wire.Unavailable {
		t.Errorf("%s", got)
	}
	s.must(200, "GET", "/v1/boards/demo", "") // reading goes on until the listener closes
}
