package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

func TestWebSocketSpeaksTheSubprotocolWithItsToken(t *testing.T) {
	t.Parallel()
	type request struct{ path, query, auth, offered string }
	seen := make(chan request, 10)
	upgrader := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- request{r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Sec-WebSocket-Protocol")}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		h := hello(3, false)
		h.User = "ann"
		_ = conn.WriteJSON(h)
		_ = conn.WriteJSON(syncOf(3, cardJSON))
		_ = conn.WriteJSON(ready(3))
		_, raw, _ := conn.ReadMessage()
		_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"from the future","echo":`+string(raw)+`}`))
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(wire.CloseNoMember, "removed"), time.Now().Add(time.Second))
	}))
	defer server.Close()
	c, err := Connect(t.Context(), Options{
		URL: server.URL, Board: "a b", Token: func(context.Context) (string, error) { return "T", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, want := <-seen, (request{"/v1/boards/a%20b/ws", "", "Bearer T", wire.Subprotocol}); got != want {
		t.Errorf("asked %v, want %v", got, want)
	}
	if title(c, "c1") != "old" || c.Me().Board != "b" {
		t.Error(c.All())
	}
	rename(c, "new")
	<-c.Done()
	var closed *CloseError
	if !errors.As(c.Err(), &closed) || closed.Code != wire.CloseNoMember || closed.Reason != "removed" {
		t.Error(c.Err())
	}
}

func TestWebSocketRefusedTellsTheProblem(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("user") != "ann" {
			t.Errorf("query %q", r.URL.RawQuery)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"code":"not_found","detail":"no such board"}`))
	}))
	defer server.Close()
	_, err := Connect(t.Context(), Options{URL: server.URL, Board: "b", User: "ann"})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != domain.NotFound || refused.Status != 404 || refused.Reason != "no such board" {
		t.Fatal(err)
	}
}
