package client

import (
	"crypto/rand"
	"time"

	"github.com/oklog/ulid/v2"
)

// clock tells the server's time: the newest heard plus what has passed since
// by the local monotonic clock. Before any it is the local time.
type clock struct{ heard, at time.Time }

func (c *clock) hear(server time.Time) { c.heard, c.at = server, time.Now() }

func (c *clock) now() time.Time {
	if c.heard.IsZero() {
		return time.Now()
	}
	return c.heard.Add(time.Since(c.at))
}

func newULID(now time.Time) string { return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String() }
