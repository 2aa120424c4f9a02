package load

import (
	"context"
	"fmt"
)

const residentBytes = "process_resident_memory_bytes"

// Idle connects clients that then do nothing, and gives what each costs the
// server in resident memory, rooms included: a server of its own is started
// afresh before the first, so that no board is in memory.
func Idle(ctx context.Context, o Own, run string, boards, clients int, span Span) (Result, error) {
	if o.Admin == "" {
		return Result{}, fmt.Errorf("load: idle needs the address of the server's metrics: --admin-url")
	}
	room := Room{Boards: boards, Clients: clients / boards}
	for b := range boards {
		if err := o.Make(ctx, fmt.Sprintf("%s-%d", run, b), 10); err != nil {
			return Result{}, err
		}
		span.say("making boards", float64(b)/float64(boards))
	}
	if o.Server != nil {
		if err := o.restart(ctx, ""); err != nil {
			return Result{}, err
		}
	}
	before, err := o.resident(ctx, span)
	if err != nil {
		return Result{}, err
	}
	m := span.startMeter()
	var all []*Client
	defer func() { closeAll(all) }()
	one := Room{Boards: 1, Clients: room.Clients}
	for b := range boards {
		clients, err := one.join(ctx, o, fmt.Sprintf("%s-%d", run, b), Span{})
		if err != nil {
			return Result{}, err
		}
		all = append(all, clients...)
		span.say("connecting", float64(b)/float64(boards))
	}
	r := Result{Bench: "idle", Setting: fmt.Sprintf("%d connections on %d boards", room.Boards*room.Clients, boards)}
	m.stop(&r)
	for _, c := range all {
		go func() { // answers pings
			for c.Receive(func(Event) error { return nil }) == nil {
			}
		}()
	}
	after, err := o.resident(ctx, span)
	if err != nil {
		return Result{}, err
	}
	r.Figures = Figures{
		{"per connection", (after - before) / 1024 / float64(len(all)), "KiB"},
		{"before", before / (1 << 20), "MiB"}, {"after", after / (1 << 20), "MiB"},
	}
	return r, nil
}

// resident is the server's resident memory once it has come to rest.
func (o Own) resident(ctx context.Context, span Span) (float64, error) {
	if err := span.pass(ctx, "letting it settle", span.Measure); err != nil {
		return 0, err
	}
	return Metric(ctx, o.Admin, residentBytes)
}
