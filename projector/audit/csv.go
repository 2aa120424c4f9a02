package audit

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// csvFormat is RFC 4180 with a header, a row per event, or per decision
// without any. What a spreadsheet would take for a formula has an apostrophe
// before it, in every column but those of numbers.
type csvFormat struct{}

// csvHeader names the columns. What was asked for stands in the first row of a
// decision; before, after, added and removed are the event's, asked the
// command's changes, as JSON.
const csvHeader = "at,rev,user,outcome,type,entity,words,code,before,after,added,removed,asked,mutation,received,stored,seq,hash\r\n"

func (csvFormat) begin(dst []byte) []byte { return append(dst, csvHeader...) }

func (csvFormat) entry(dst []byte, e *Entry) ([]byte, error) {
	told := e.Told()
	asked, err := jsonText(told.Changes, len(told.Changes))
	if err != nil {
		return dst, err
	}
	if e.Void || len(told.Events) == 0 {
		rev, code := told.Rev-uint64(len(told.Events)), domain.Code("")
		if told.Rejection != nil {
			code = told.Rejection.Code
		}
		row := csvRow{rev: rev, entity: subject(e.Decision), code: string(code), asked: asked}
		return row.append(dst, e, 0), nil
	}
	for i := range told.Events {
		ev := &told.Events[i]
		row := csvRow{rev: ev.Rev, kind: ev.Type, entity: ev.EntityID, asked: asked}
		asked = ""
		for _, cell := range []struct {
			to  *string
			v   any
			len int
		}{{&row.before, ev.Before, len(ev.Before)}, {&row.after, ev.After, len(ev.After)}, {&row.added, ev.Added, len(ev.Added)}, {&row.removed, ev.Removed, len(ev.Removed)}} {
			if *cell.to, err = jsonText(cell.v, cell.len); err != nil {
				return dst, err
			}
		}
		dst = row.append(dst, e, i)
	}
	return dst, nil
}

// jsonText is v as JSON, "" if there is nothing in it.
func jsonText(v any, n int) (string, error) {
	if n == 0 {
		return "", nil
	}
	raw, err := json.Marshal(v)
	return string(raw), err
}

// csvRow is what the rows of a decision have that is their own.
type csvRow struct {
	rev                                  uint64
	kind, entity, code                   string
	before, after, added, removed, asked string
}

// append adds the row of the event i of e.
func (r *csvRow) append(dst []byte, e *Entry, i int) []byte {
	words := ""
	if i < len(e.Words) {
		words = e.Words[i]
	}
	dst = append(appendTime(dst, e.At), ',')
	dst = append(strconv.AppendUint(dst, r.rev, 10), ',')
	for _, cell := range []string{e.User, e.Outcome(), r.kind, r.entity, words, r.code, r.before, r.after, r.added, r.removed, r.asked, e.ID} {
		dst = append(appendCell(dst, cell), ',')
	}
	dst = append(appendTime(dst, e.ReceivedAt), ',')
	dst = append(appendTime(dst, e.Log.Time), ',')
	dst = append(strconv.AppendUint(dst, eventlog.StreamSeq(e.Log.Seq), 10), ',')
	return append(append(dst, e.Log.Hash.String()...), '\r', '\n')
}

func appendTime(dst []byte, t time.Time) []byte { return t.UTC().AppendFormat(dst, time.RFC3339Nano) }

// appendCell appends a cell, in quotes if it must be.
func appendCell(dst []byte, s string) []byte {
	formula := s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(s[:min(len(s), 4)])[0])
	if !formula && !strings.ContainsAny(s, "\",\r\n") && strings.TrimSpace(s) == s {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	if formula {
		dst = append(dst, '\'')
	}
	for _, c := range []byte(s) {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
