package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// remote is the flags of a command that asks a running server.
type remote struct {
	Server string `default:"http://localhost:8080" env:"SNAPBACK_SERVER" placeholder:"URL" help:"The server to ask (${default})."`
	Token  string `env:"SNAPBACK_TOKEN" placeholder:"TOKEN" help:"Bearer token of who asks; better in the environment."`
	User   string `env:"SNAPBACK_USER" placeholder:"NAME" help:"Who asks, of a server in open mode."`
}

// get asks for a path below /v1 and gives the body of a 200, to be closed. Any
// other answer is a *refusal. It ends when ctx does, however long the body is.
func (r *remote) get(ctx context.Context, query url.Values, path ...string) (io.ReadCloser, error) {
	u, err := address("server", r.Server, "http://localhost:8080")
	if err != nil {
		return nil, err
	}
	for i, part := range path {
		path[i] = url.PathEscape(part)
	}
	u = u.JoinPath(append([]string{"v1"}, path...)...)
	if r.User != "" {
		if query == nil {
			query = url.Values{}
		}
		query.Set("user", r.User)
	}
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	return send(request, r.Server)
}

// getJSON reads what get gives into v.
func (r *remote) getJSON(ctx context.Context, v any, query url.Values, path ...string) error {
	body, err := r.get(ctx, query, path...)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return fmt.Errorf("the answer of %s is not what was expected: %w", r.Server, err)
	}
	return nil
}

// admin is the flags of a command that has a running node do something.
type admin struct {
	AdminServer string `default:"http://localhost:8081" env:"SNAPBACK_ADMIN_SERVER" placeholder:"URL" help:"The admin listener (--admin-addr) of the node to ask (${default})."`
}

// post posts to a path of the admin listener and gives the body of a 200, to be
// closed. Any other answer is a *refusal.
func (a *admin) post(ctx context.Context, path string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	return a.ask(ctx, http.MethodPost, path, query, body)
}

// askJSON reads the answer of the admin listener into v.
func (a *admin) askJSON(ctx context.Context, method, path string, query url.Values, v any) error {
	body, err := a.ask(ctx, method, path, query, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return fmt.Errorf("the answer of %s is not what was expected: %w", a.AdminServer, err)
	}
	return nil
}

func (a *admin) ask(ctx context.Context, method, path string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	u, err := address("admin-server", a.AdminServer, "http://localhost:8081")
	if err != nil {
		return nil, err
	}
	u = u.JoinPath(path)
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/x-ndjson")
	}
	return send(request, a.AdminServer)
}

// address reads a flag that says where a server is.
func address(flag, text, example string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usageError{fmt.Errorf("--%s=%s: it is an address like %s", flag, text, example)}
	}
	return u, nil
}

// send gives the body of a 200, to be closed.
func send(request *http.Request, server string) (io.ReadCloser, error) {
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return nil, fmt.Errorf("no answer from %s: %w", server, err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	return nil, readRefusal(answer)
}
