package convergence

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"

	"github.com/snapback-io/snapback/test/bundle"
	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/tool"
)

// script is where the TypeScript of stages is.
var script = filepath.Join("..", "..", "gateway", "browser", "test")

// stage holds stores of the TypeScript client (gateway/browser/test/stage.ts).
// Safe for concurrent use.
type stage interface {
	// call calls one of the functions of stage.ts; result may be nil.
	call(ctx context.Context, result any, name string, args ...any) error
}

// onPage is a stage in a browser's window.
type onPage struct {
	browser context.Context
	page    *chrome.Page
	origin  string
	script  string
}

func newPageStage(t *testing.T) onPage {
	t.Helper()
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>stage</title>")
	}))
	t.Cleanup(empty.Close)
	s := onPage{browser: chrome.Start(t), origin: empty.URL, script: bundle.Script(t, filepath.Join(script, "stage.ts"), "stage")}
	return s.another(t)
}

// another is a stage in another window of the same browser.
func (s onPage) another(t *testing.T) onPage {
	t.Helper()
	s.page = chrome.Open(t, s.browser, "stage")
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	return s
}

// load loads the page, also anew, without its stores.
func (s onPage) load() error {
	ctx, cancel := context.WithTimeout(s.page.Ctx, settleTime)
	defer cancel()
	return chromedp.Do(ctx, chromedp.Navigate(s.origin), chromedp.Evaluate[chromedp.Void](s.script))
}

func (s onPage) call(ctx context.Context, result any, name string, args ...any) error {
	list, err := json.Marshal(args)
	if err != nil {
		return err
	}
	both, cancel := context.WithCancel(s.page.Ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	raw, err := chromedp.Run(both, chromedp.Evaluate[[]byte](fmt.Sprintf("stage.%s(...%s)", name, list), chromedp.EvalAwaitPromise))
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(raw, result)
}

// inNode is a stage in a process of Node.
type inNode struct {
	in io.Writer

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer
	ended   error // set when the process answers no more
}

// nodePath is where Node is; see [tool.Find].
func nodePath(t *testing.T) string {
	t.Helper()
	return tool.Find(t, "the browser client", "node")
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

func newNodeStage(t *testing.T) *inNode {
	t.Helper()
	program := nodePath(t)
	file := filepath.Join(t.TempDir(), "stage.mjs")
	made := bundle.Build(t, api.BuildOptions{
		EntryPoints: []string{filepath.Join(script, "stage.node.ts")}, Bundle: true, Platform: api.PlatformNode, Format: api.FormatESModule,
	})
	if err := os.WriteFile(file, made[0].Contents, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--experimental-websocket", "--no-warnings", file)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &inNode{in: in, waiting: map[int]chan answer{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.read(out)
	}()
	t.Cleanup(func() {
		in.Close() // ends it
		<-read
		if err := cmd.Wait(); err != nil || errs.Len() > 0 {
			t.Errorf("node: %v\n%s", err, &errs)
		}
	})
	return s
}

func (s *inNode) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		var a answer
		if err == nil {
			err = json.Unmarshal(line, &a)
		}
		s.mu.Lock()
		if err != nil {
			s.ended = fmt.Errorf("node answers no more: %w", err)
			for _, c := range s.waiting {
				close(c)
			}
			s.waiting = nil
			s.mu.Unlock()
			_, _ = io.Copy(io.Discard, out) // so that it can end
			return
		}
		c := s.waiting[a.ID]
		delete(s.waiting, a.ID)
		s.mu.Unlock()
		if c != nil {
			c <- a
		}
	}
}

func (s *inNode) ask(name string, args []any) (chan answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return nil, s.ended
	}
	s.next++
	if args == nil {
		args = []any{}
	}
	line, err := json.Marshal(map[string]any{"id": s.next, "name": name, "args": args})
	if err != nil {
		return nil, err
	}
	c := make(chan answer, 1)
	s.waiting[s.next] = c
	_, err = s.in.Write(append(line, '\n'))
	return c, err
}

func (s *inNode) call(ctx context.Context, result any, name string, args ...any) error {
	c, err := s.ask(name, args)
	if err != nil {
		return err
	}
	select {
	case a, ok := <-c:
		switch {
		case !ok:
			return s.ended
		case a.Error != "":
			return errors.New(a.Error)
		case result == nil:
			return nil
		}
		return json.Unmarshal(a.Result, result)
	case <-ctx.Done():
		return ctx.Err()
	}
}
