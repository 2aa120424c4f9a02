package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/cmd/snapback/trello"
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

const (
	partTimeout = time.Minute      // for one answer
	retryFor    = 2 * time.Minute  // for one part without a verdict, once the server has answered at all
	longestWait = 10 * time.Second // between two tries
)

// importClient sends parts to one board's import endpoint.
type importClient struct {
	http   *http.Client
	board  *url.URL
	server string
	token  string
	heard  bool // the server has answered once
}

func newImportClient(server, board, token, user string) (*importClient, error) {
	u, err := address("server", server, "http://localhost:8080")
	if err != nil {
		return nil, err
	}
	u = u.JoinPath("v1", "boards", board)
	if user != "" {
		u.RawQuery = url.Values{"user": {user}}.Encode()
	}
	return &importClient{http: &http.Client{Timeout: partTimeout}, board: u, server: server, token: token}, nil
}

// refusal is a final answer other than yes, as problem+json.
type refusal struct {
	status  int
	code    domain.Code
	reason  string
	details map[string]json.RawMessage
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the server refused (%s): %s", cmp.Or(string(r.code), http.StatusText(r.status)), r.reason)
}

func (r *refusal) text(name string) (s string) {
	_ = json.Unmarshal(r.details[name], &s)
	return s
}

func (r *refusal) number(name string) (n int, ok bool) {
	raw, ok := r.details[name]
	return n, ok && json.Unmarshal(raw, &n) == nil
}

// sendAll sends what the server does not have yet. fresh is false when all of
// it was there before.
func (c *importClient) sendAll(ctx context.Context, parts []domain.Import, p progress) (fresh bool, err error) {
	defer p.done()
	for next := 0; next < len(parts); {
		events, err := c.send(ctx, &parts[next])
		var refused *refusal
		switch {
		case err == nil && events == 0:
			return false, nil
		case err == nil:
			next++
			p.at(next)
			continue
		case ctx.Err() != nil:
			return false, fmt.Errorf("stopped after part %d of %d; nobody sees the board yet, the same command continues", next, len(parts))
		case !errors.As(err, &refused):
			return false, fmt.Errorf("%w; the same command continues", err)
		}
		source := refused.text("source")
		due, under := refused.number("next")
		switch {
		case under && source == parts[0].Source && due > next && due < len(parts):
			next = due
			p.at(next)
		case refused.code == domain.Conflict && source != "":
			return c.otherSource(ctx, source, parts[0].Source)
		case refused.code == domain.Conflict:
			return false, errors.New("there is a board with this id already; choose another with --board")
		case refused.code == domain.Forbidden:
			return false, fmt.Errorf("%w (a token that makes you admin of this id is needed: snapback token --board ID=admin)", err)
		default:
			return false, err
		}
	}
	return true, nil
}

// otherSource answers for a board that comes, or is about to come, from
// another source than ours. It is no error when that is the same board at
// Trello and all of it is there.
func (c *importClient) otherSource(ctx context.Context, theirs, ours string) (fresh bool, err error) {
	if !trello.SameExport(theirs, ours) {
		return false, fmt.Errorf("the board with this id comes from elsewhere (%s); choose another with --board", theirs)
	}
	request, err := c.request(ctx, http.MethodGet, c.board, nil)
	if err != nil {
		return false, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return false, nil
	}
	return false, errors.New("an import of this Trello board was begun from another export or with other --members: " +
		"give the same files to finish it, or choose another id with --board")
}

// send sends one part until there is a verdict. Every sending has the same
// mutation id, so it takes effect once.
func (c *importClient) send(ctx context.Context, part *domain.Import) (events int, err error) {
	body, err := json.Marshal(part)
	if err != nil {
		return 0, err
	}
	id := ulid.Make().String()
	giveUp := time.Now().Add(retryFor)
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, longestWait) {
		events, retryAfter, err := c.post(ctx, id, body)
		if err == nil || retryAfter < 0 || !c.heard || ctx.Err() != nil || time.Now().After(giveUp) {
			return events, err
		}
		timer := time.NewTimer(max(wait, retryAfter))
		select {
		case <-ctx.Done():
			timer.Stop()
			return 0, ctx.Err()
		case <-timer.C:
		}
	}
}

// request is one to the server by whoever imports.
func (c *importClient) request(ctx context.Context, method string, u *url.URL, body io.Reader) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err == nil && c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	return request, err
}

// post sends once and gives the number of events it caused. With an error it
// says how long to wait at least before the next try; below zero there is none.
func (c *importClient) post(ctx context.Context, id string, body []byte) (events int, retryAfter time.Duration, err error) {
	request, err := c.request(ctx, http.MethodPost, c.board.JoinPath("import"), bytes.NewReader(body))
	if err != nil {
		return 0, -1, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Mutation-Id", id)
	response, err := c.http.Do(request)
	if err != nil {
		var down *net.OpError
		if errors.As(err, &down) && down.Op == "dial" {
			return 0, 0, fmt.Errorf("no server answers at %s", c.server)
		}
		return 0, 0, err
	}
	defer response.Body.Close()
	c.heard = true
	if response.StatusCode == http.StatusOK {
		var answer struct {
			Events int `json:"events"`
		}
		err := json.NewDecoder(response.Body).Decode(&answer)
		return answer.Events, 0, err
	}
	refused := readRefusal(response)
	if response.StatusCode == http.StatusGatewayTimeout || wire.Retryable(refused.code) || response.StatusCode == http.StatusBadGateway {
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return 0, time.Duration(seconds) * time.Second, refused
	}
	return 0, -1, refused
}

func readRefusal(response *http.Response) *refusal {
	r := &refusal{status: response.StatusCode, reason: response.Status}
	var body struct {
		Code    domain.Code                `json:"code"`
		Detail  string                     `json:"detail"`
		Details map[string]json.RawMessage `json:"details"`
	}
	if json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&body) == nil {
		r.code, r.details, r.reason = body.Code, body.Details, cmp.Or(body.Detail, r.reason)
	}
	return r
}
