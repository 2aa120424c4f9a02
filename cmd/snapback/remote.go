package main

import (
	"context"
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
	u, err := url.Parse(r.Server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usageError{fmt.Errorf("--server=%s: it is an address like http://localhost:8080", r.Server)}
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
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return nil, fmt.Errorf("no answer from %s: %w", r.Server, err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	return nil, readRefusal(answer)
}
