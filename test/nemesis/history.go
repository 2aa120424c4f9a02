package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/node"
)

// history asks every node for everything, reads the log, and gives all of it.
func (w *world) history() *check.History {
	w.tb.Helper()
	h := &check.History{Start: w.start, About: fmt.Sprintf("%+v", w.plan), Conns: w.tap.Conns(), Requests: w.notary.requests(), Faults: w.faults}
	if w.tb.Failed() { // not all is decided
		return w.read(h)
	}
	w.inquire(check.Sent(h))
	h.Requests = w.notary.requests()
	for _, k := range w.keens {
		h.Views = append(h.Views, k.Holds())
		told, missing := k.Told()
		h.Told = append(h.Told, told...)
		for _, id := range missing {
			w.tb.Errorf("%s has no verdict", id)
		}
	}
	return w.read(h)
}

// read adds the log.
func (w *world) read(h *check.History) *check.History {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(w.tb.Context(), settleTime)
	defer cancel()
	var err error
	if h.Records, err = check.ReadLog(ctx, w.eye.nc); err != nil {
		w.tb.Fatalf("the log: %v", err)
	}
	n, differ, err := check.Copies(ctx, w.eye.nc)
	w.count("copies read", n)
	w.found = append(w.found, differ...)
	if err != nil {
		w.found = append(w.found, fmt.Sprintf("copies: %v", err))
	}
	return h
}

// inquiries is how many requests are asked at a time when all is quiet.
const inquiries = 16

// inquire asks every node for each board and for the verdict of each mutation.
func (w *world) inquire(sent []check.ID) {
	w.tb.Helper()
	var all sync.WaitGroup
	slots := make(chan struct{}, inquiries)
	ask := func(n *node.Server, r check.Request) {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			for range 100 { // as long as it is rate limited
				if got := w.notary.ask(n, r); got.Status != http.StatusTooManyRequests && got.Status != http.StatusServiceUnavailable {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			w.tb.Errorf("%s does not answer %s/%s", n.Name(), r.Board, r.Path)
		})
	}
	for _, n := range w.gates {
		for _, board := range w.boards {
			rev := uint64(0)
			for _, k := range w.keens {
				if v := k.Holds(); v.Board == board {
					rev = max(rev, v.Rev)
				}
			}
			ask(n, check.Request{User: "owner", Board: board, Method: http.MethodGet, Path: fmt.Sprint("?minRev=", rev), Quiet: true})
		}
		for _, id := range sent {
			ask(n, check.Request{User: id.User, Board: id.Board, Method: http.MethodGet, Path: "mutations/" + id.ID, Quiet: true})
		}
	}
	all.Wait()
}
