package convergence

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/crowd"
	"github.com/snapback-io/snapback/test/naive"
)

// scripted is our TypeScript client, on a stage with others.
type scripted struct {
	w       *world
	name    string
	n       int // on the stage
	stage   stage
	r       *rand.Rand
	gen     *crowd.Generator
	silent  bool // rolls back on silence
	options map[string]any
	how     map[string]any // see open in stage.ts
}

// newScripted connects store n; breakage is one of spoil.ts, or none.
func newScripted(w *world, s stage, e *entry, name, breakage string) (*scripted, error) {
	silent := e.r.IntN(4) == 0
	a := &scripted{w, name, e.i, s, e.r, e.gen, silent, map[string]any{
		"url": "http://" + e.addr, "board": board, "user": name, "ttl": 1000 * (1 + e.r.IntN(4)), "rollbackOnSilence": silent,
	}, map[string]any{}}
	if breakage != "" {
		a.how["breakage"] = breakage
	}
	return a, a.open()
}

// open connects the store, and waits for the board.
func (a *scripted) open() error {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	there := false
	err := a.stage.call(ctx, nil, "open", a.n, a.options, a.how)
	if err == nil {
		err = a.stage.call(ctx, &there, "ready", a.n)
	}
	if err != nil || !there {
		return fmt.Errorf("%s: connected: %v %w", a.name, there, err)
	}
	return nil
}

func (a *scripted) Act() {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	err := error(nil)
	if a.r.IntN(10) == 0 {
		err = a.stage.call(ctx, nil, "turn", a.n, a.r.IntN(3) == 0)
	} else {
		err = a.stage.call(ctx, nil, "act", a.n, a.gen.Next(), a.r.IntN(15) == 0)
	}
	if err != nil {
		a.w.t.Errorf("%s: %v", a.name, err)
	}
}

func (a *scripted) Settle(ctx context.Context) error {
	var waiting []string
	var last error
	err := crowd.Poll(ctx, func() bool {
		last = a.stage.call(ctx, &waiting, "waiting", a.n)
		return last == nil && len(waiting) == 0
	})
	if err != nil {
		return fmt.Errorf("%s: %d mutations without a verdict: %.5v: %w, %w", a.name, len(waiting), waiting, err, last)
	}
	return nil
}

func (a *scripted) Sees(ctx context.Context, id string) error {
	return crowd.Poll(ctx, func() bool {
		var there bool
		return a.stage.call(ctx, &there, "sees", a.n, id) == nil && there
	})
}

func (a *scripted) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = a.stage.call(ctx, nil, "close", a.n)
}

// report is that of stage.ts.
type report struct {
	Status                  string
	Rev                     uint64
	View, Confirmed, Mirror []json.RawMessage
	Order                   []struct {
		Parent, Kind string
		IDs          []string
	}
	Pending   int
	Mutations map[string]told
	Turns     map[string]int
	Faults    []string
}

type told struct {
	Promised, Verdict            *verdict
	Promises, Settled, Rollbacks int
	Never                        bool
}

type verdict struct {
	OK   bool
	Rev  uint64
	Code string
}

func (a *scripted) Judge(j *check.Judge) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	var got report
	if err := a.stage.call(ctx, &got, "report", a.n); err != nil {
		j.Fault("convergence", "%s: %v", a.name, err)
		return
	}
	a.told(j, got)
	want := naive.Fold(j.Log.Records, got.Rev).View(a.name)
	bare := map[string]naive.Object{}
	for id, o := range want {
		bare[id] = crowd.Stripped(o)
	}
	for _, d := range naive.Differences(objects(got.Confirmed, false), want) {
		j.Fault("convergence", "%s at rev %d (%s) holds %s", a.name, got.Rev, got.Status, d)
	}
	for _, d := range naive.Differences(objects(got.View, true), bare) {
		j.Fault("law 10", "%s at rev %d shows %s", a.name, got.Rev, d)
	}
	for _, d := range naive.Differences(objects(got.Mirror, true), bare) {
		j.Fault("law 11", "%s was last told %s", a.name, d)
	}
	for _, o := range got.Order {
		if siblings := ordered(want, o.Kind, o.Parent); !slices.Equal(o.IDs, siblings) {
			j.Fault("convergence", "%s shows the %ss of %q as %v, they are %v", a.name, o.Kind, o.Parent, o.IDs, siblings)
		}
	}
	j.Counts["lists in order"] += len(got.Order)
	if got.Pending > 0 {
		j.Fault("law 3", "%s: %d mutations pending after every verdict", a.name, got.Pending)
	}
}

// told holds what a store told against the log.
func (a *scripted) told(j *check.Judge, got report) {
	for _, f := range got.Faults {
		j.Fault("law 11", "%s: %s", a.name, f)
	}
	for id, m := range got.Mutations {
		a.verdict(j, id, m)
	}
	j.Counts["script mutations"] += len(got.Mutations)
	for outcome, n := range got.Turns {
		j.Counts["turn "+outcome] += n
	}
}

// verdict holds what the application was told against the log.
func (a *scripted) verdict(j *check.Judge, id string, m told) {
	d, logged := j.Log.By[[2]string{a.name, id}]
	v := cmp.Or(m.Promised, m.Verdict)
	switch {
	case v == nil:
		j.Fault("law 3", "%s: %s has no verdict", a.name, id)
		return
	case v.OK:
		j.Counts["script acked"]++
	default:
		j.Counts["script "+v.Code]++
	}
	switch {
	case v.OK && (!logged || !d.Accepted() || d.Rev != v.Rev):
		j.Fault("law 4", "%s was told that %s is in the log at rev %d", a.name, id, v.Rev)
	case !v.OK && logged && d.Accepted():
		j.Fault("law 4", "%s was told that %s is refused (%s), the log accepted it", a.name, id, v.Code)
	case m.Promised != nil && m.Verdict != nil && *m.Promised != *m.Verdict:
		j.Fault("law 3", "%s: %s: the promise says %+v, onSettled %+v", a.name, id, *m.Promised, *m.Verdict)
	}
	most := 1
	if a.silent { // the rollback came before the verdict
		most = 2
	}
	if m.Never {
		most = 0
	}
	if want := map[bool]int{false: 1, true: 0}[m.Never]; m.Settled != want || m.Promised != nil && m.Promises != 1 {
		j.Fault("law 3", "%s: of %s onSettled told %d times, the promise %d times", a.name, id, m.Settled, m.Promises)
	}
	if m.Rollbacks > most || v.OK && m.Rollbacks > 0 && !a.silent {
		j.Fault("law 10", "%s: of %s (%+v) onRollback told %d times", a.name, id, *v, m.Rollbacks)
	}
}

// objects are entities by id; bare without what only the confirmed state knows.
func objects(list []json.RawMessage, bare bool) map[string]naive.Object {
	out := map[string]naive.Object{}
	for _, raw := range list {
		o, err := naive.ToObject(raw)
		if err != nil {
			continue // as if it were not there
		}
		id := fmt.Sprint(o["id"])
		if bare {
			o = crowd.Stripped(o)
		}
		out[id] = o
	}
	return out
}

// hangsOn is the field that names the parent; the other kinds hang on the board.
var hangsOn = map[string]string{"card": "columnId", "checklist": "cardId", "comment": "cardId", "file": "cardId", "item": "checklistId"}

// ordered are the ids of siblings: by position, then id; without positions in
// the order in which they were made.
func ordered(view map[string]naive.Object, kind, parent string) []string {
	var list []naive.Object
	for _, o := range view {
		under, _ := o[hangsOn[kind]].(string)
		if o["kind"] == kind && under == parent {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b naive.Object) int {
		if position, ok := a["position"].(string); ok {
			other, _ := b["position"].(string)
			return cmp.Or(strings.Compare(position, other), strings.Compare(fmt.Sprint(a["id"]), fmt.Sprint(b["id"])))
		}
		return cmp.Or(cmp.Compare(check.Number(a, "createdRev"), check.Number(b, "createdRev")), strings.Compare(fmt.Sprint(a["id"]), fmt.Sprint(b["id"])))
	})
	ids := make([]string, len(list))
	for i, o := range list {
		ids[i] = fmt.Sprint(o["id"])
	}
	return ids
}
