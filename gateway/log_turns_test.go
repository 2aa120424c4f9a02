package gateway

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// timedStore takes its time for each record, and knows how many were read at
// the same moment.
type timedStore struct {
	store
	reading, most atomic.Int32
}

func (s *timedStore) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		for r, err := range s.store.Read(ctx, board, from, to) {
			s.most.Store(max(s.most.Load(), s.reading.Add(1)))
			time.Sleep(time.Millisecond)
			s.reading.Add(-1)
			if !yield(r, err) {
				return
			}
		}
	}
}

// slowClient takes nothing of an answer before its time.
type slowClient struct {
	*httptest.ResponseRecorder
	takes <-chan struct{}
}

func (c slowClient) Write(p []byte) (int, error) {
	<-c.takes
	return c.ResponseRecorder.Write(p)
}

// TestLog_ReadersTakeTurns: however many ask, few read at a time, and none of
// these is one whose client is slow.
func TestLog_ReadersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s, err := newServer(Config{Logger: quiet}, m)
		if err != nil {
			t.Fatal(err)
		}
		defer s.chores.end()
		slow := &timedStore{store: m}
		s.open, s.store = m.open, slow
		const atATime = 3
		s.tickets = make(chan struct{}, atATime)
		handler := s.Handler()
		serve := func(w http.ResponseWriter, method, path, body string) {
			handler.ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body)))
		}
		serve(httptest.NewRecorder(), "POST", "/v1/boards", `{"id":"demo","title":"0"}`)
		for i := range 8 {
			serve(httptest.NewRecorder(), "POST", "/v1/boards/demo/mutations", fmt.Sprintf(
				`{"clientMutationId":"m%d","entityId":"demo","patch":{"title":"%d","description":%q}}`, i, i, strings.Repeat(fmt.Sprint(i), logBuffer/2)))
		}
		const readers = 20
		takes := make(chan struct{})
		ended := make(chan *httptest.ResponseRecorder, 2*readers)
		read := func(w http.ResponseWriter, rec *httptest.ResponseRecorder, i int, query string) {
			serve(w, "GET", fmt.Sprintf("/v1/boards/demo/log?user=u%d%s", i, query), "")
			ended <- rec
		}
		for i := range readers {
			rec := httptest.NewRecorder()
			go read(slowClient{rec, takes}, rec, i, "")
		}
		synctest.Wait()
		for i := range readers {
			rec := httptest.NewRecorder()
			go read(rec, rec, i, []string{"", "&last=5", "&entity=demo"}[i%3])
		}
		for range readers {
			if rec := <-ended; strings.Count(rec.Body.String(), "\n") < 5 {
				t.Errorf("%d: %s", rec.Code, rec.Body)
			}
		}
		if got := slow.most.Load(); got != atATime {
			t.Errorf("%d read at a time, want %d", got, atATime)
		}
		close(takes)
		for range readers {
			if rec := <-ended; strings.Count(rec.Body.String(), "\n") != 9 {
				t.Errorf("%d: %d bytes", rec.Code, rec.Body.Len())
			}
		}
		if n := len(s.tickets); n != 0 {
			t.Errorf("%d tickets are not given back", n)
		}
	})
}
