package seed

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Post is a row of a list with a like button.
type Post struct {
	ID    string
	Liked bool
	Likes int
}

// Posts is a list whose like button shows the click at once, sends a request,
// and goes back to the snapshot it took before the click when that fails.
type Posts struct {
	Fetch func(method, path string) (*http.Response, error)
	Toast func(reason string)

	mu    sync.Mutex
	items []Post // replaced, never changed
}

// Items is the list as it is shown.
func (p *Posts) Items() []Post {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.items
}

// Set shows another list.
func (p *Posts) Set(items []Post) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.items = items
}

// ToggleLike is the click. It returns when the list shows it; done is closed
// when the request has ended.
func (p *Posts) ToggleLike(id string) (done chan struct{}) {
	snapshot := p.Items()
	next := make([]Post, len(snapshot))
	for i, post := range snapshot {
		if post.ID == id {
			if post.Liked = !post.Liked; post.Liked {
				post.Likes++
			} else {
				post.Likes--
			}
		}
		next[i] = post
	}
	p.Set(next)
	done = make(chan struct{})
	fetch := p.Fetch
	go func() {
		defer close(done)
		resp, err := fetch(http.MethodPost, "/api/posts/"+id+"/like")
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode >= 400 {
				err = fmt.Errorf("status %s", resp.Status)
			}
		}
		if err != nil {
			p.Set(snapshot)
			p.Toast(err.Error())
		}
	}()
	return done
}
