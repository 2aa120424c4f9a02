package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Past times looks at a board as it was in the middle of its history
// (GET /v1/boards/{b}?rev=N) against looks at it as it is, for histories of 10^3
// records, 10^4 and so on up to most, and most. The server has been restarted
// before, so that nothing is in its memory at first.
func Past(ctx context.Context, o Own, run string, cards, most, samples int, span Span) ([]Result, error) {
	board := run + "-past"
	if err := o.Make(ctx, board, cards); err != nil {
		return nil, err
	}
	var results []Result
	have := 1 + cards/batch
	for records := min(1000, most); ; records = min(10*records, most) {
		if err := o.lengthen(ctx, board, cards, max(records-have, 1), span); err != nil {
			return results, err
		}
		have = records
		c, j, err := o.Join(ctx, board, 0, "")
		if err != nil {
			return results, err
		}
		c.Close()
		then, now := newLatencies(), newLatencies()
		bytes := 0
		m := span.startMeter()
		for i := range samples {
			span.say("looking back", float64(i)/float64(samples))
			if bytes, err = o.look(ctx, fmt.Sprintf("/v1/boards/%s?rev=%d", board, j.Rev/2), then); err == nil {
				_, err = o.look(ctx, "/v1/boards/"+board, now)
			}
			if err != nil {
				return results, err
			}
		}
		r := Result{Bench: "past", Setting: fmt.Sprintf("%d cards, %d records", cards, records)}
		m.stop(&r)
		r.Figures = append(then.figures("look"), Figure{"now p50", now.ms(50), "ms"}, Figure{"board", float64(bytes) / 1024, "KiB"})
		results = append(results, r)
		if records == most {
			return results, nil
		}
	}
}

// look reads a path to its end and gives its length.
func (t *Snapback) look(ctx context.Context, path string, lat latencies) (bytes int, err error) {
	t.connect()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL+path, nil)
	if err != nil {
		return 0, err
	}
	if t.Token != "" {
		req.Header.Set("Authorization", "Bearer "+t.Token)
	}
	start := time.Now()
	resp, err := t.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	lat.record(time.Since(start))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("load: GET %s: %s", path, resp.Status)
	}
	return int(n), err
}
