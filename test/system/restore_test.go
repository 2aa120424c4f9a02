package system

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/test/node"
)

// A server that is killed while a board is being restored goes on where it was,
// and until then nobody sees half a board.
func TestRestore_KilledHalfWay(t *testing.T) {
	t.Parallel()
	const records = 400
	old := node.Start(t, "old", t.TempDir(), "", "--demo=false")
	ask := func(s *node.Server, method, path, body string) (status int, text string) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr+"/v1/boards"+path+"?user=ann", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		data, err := io.ReadAll(answer.Body)
		if err != nil {
			return 0, err.Error()
		}
		return answer.StatusCode, string(data)
	}
	if status, text := ask(old, "POST", "", `{"id":"b","title":"Board"}`); status != 201 {
		t.Fatal(status, text)
	}
	var ids []string
	for i := range records {
		id := ulid.Make().String()
		ids = append(ids, id)
		body := fmt.Sprintf(`{"clientMutationId":%q,"entityId":"b","patch":{"description":%q}}`, id, fmt.Sprint(i, strings.Repeat(" x", 500)))
		if status, text := ask(old, "POST", "/b/mutations", body); status != 200 {
			t.Fatal(status, text)
		}
	}
	dir := filepath.Join(t.TempDir(), "bundle")
	run := func(args ...string) (out string, err error) {
		cmd := exec.CommandContext(t.Context(), node.Binary(t), args...)
		text, err := cmd.CombinedOutput()
		return string(text), err
	}
	if out, err := run("export", "--all", "-o", dir, "--server=http://"+old.Addr); err != nil {
		t.Fatal(err, out)
	}

	s := node.Start(t, "new", t.TempDir(), "", "--demo=false")
	admin := "--admin-server=http://" + s.AdminAddr
	killed := 0
	for kill := 30 * time.Millisecond; ; kill += kill / 2 {
		ended := make(chan error, 1)
		var out string
		go func() {
			var err error
			out, err = run("import", "bundle", dir, admin)
			ended <- err
		}()
		var err error
		select {
		case err = <-ended:
		case <-time.After(kill):
			s.Kill()
			err = <-ended
			s.Again()
		}
		if err == nil {
			if !strings.Contains(out, "board b is restored") && !strings.Contains(out, "there already") {
				t.Error(out)
			}
			break
		}
		switch status, text := ask(s, "GET", "/b", ""); {
		case status == 503:
			killed++
		case status == 200 && strings.Contains(text, fmt.Sprintf(`"rev":%d,`, records+2)):
			// whole: it was killed when all was stored and its answer not yet sent
		case status != 404:
			t.Fatalf("half a board is shown: %d %.200s", status, text)
		}
	}
	t.Logf("killed %d times with half of it stored", killed)
	for _, id := range ids {
		wasStatus, was := ask(old, "GET", "/b/mutations/"+id, "")
		if status, is := ask(s, "GET", "/b/mutations/"+id, ""); status != wasStatus || is != was || status != 200 {
			t.Fatalf("%s: %d %s, was %d %s", id, status, is, wasStatus, was)
		}
	}
	state := func(s *node.Server) string {
		var page struct {
			Rev      uint64
			Entities json.RawMessage
		}
		status, text := ask(s, "GET", "/b", "")
		if err := json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&page); err != nil || status != 200 {
			t.Fatal(status, err)
		}
		return fmt.Sprint(page.Rev, string(page.Entities))
	}
	if is, was := state(s), state(old); is != was {
		t.Errorf("%.300s\nwas\n%.300s", is, was)
	}
	if out, err := run("audit", "verify", "b", "--server=http://"+s.Addr); err != nil || !strings.Contains(out, "No findings") {
		t.Error(err, out)
	}
	if status, text := ask(s, "POST", "/b/mutations", `{"entityId":"b","patch":{"title":"On"},"clientMutationId":"on"}`); status != 200 {
		t.Error(status, text)
	}
}
