package wire

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// sameFrame fails unless what is read of data without encoding/json is what
// encoding/json reads, and holds when data is written over. It says whether
// anything is read.
func sameFrame(t failer, data []byte) bool {
	t.Helper()
	input := bytes.Clone(data)
	got, ok := readFrame(input, "")
	mutation, isMutation := readFrame(input, TypeMutate)
	for i := range input {
		input[i] = 'x'
	}
	if want, bad := parseClient(data); ok && (bad != nil || !reflect.DeepEqual(got, want)) {
		t.Fatalf("%q\nis read as   %#v\nand should be %#v %v", data, got, want, bad)
	}
	if want, bad := parseMutation(data); isMutation && (bad != nil || !reflect.DeepEqual(mutation, want)) {
		t.Fatalf("%q\nis read as   %#v\nand should be %#v %v", data, mutation, want, bad)
	}
	return ok || isMutation
}

// ordinary frames are what clients send.
var ordinary = []string{
	`{"type":"ping"}`,
	`{"type":"cancel","clientMutationId":"01J8"}`,
	`{"type":"auth","token":"a.b.c"}`,
	`{"type":"presence","data":{"at":[1, 2.5],"name":"\u00e9"}}`,
	`{"type":"mutate","clientMutationId":"m","entityId":"k","patch":null}`,
	`{"type":"mutate","clientMutationId":"m","entityId":"k","patch":{"kind":"card","title":"A \"b\" \ud83d\ude00 ü","columnId":"c"},"ifRev":0,"expiresAt":"2026-03-01T10:04:12.031Z"}`,
	`{"type": "mutate", "clientMutationId": "m", "entityId": "k", "patch": {"position": {"after": null}, "x-a": {"b": 1.5}}, "if": {"title": null}, "ttlMs": 4000}`,
	`{"type":"mutate","clientMutationId":"m","changes":[{"entityId":"k","patch":{"labels":{"add":["a"],"remove":"b"}}},{"entityId":"l","patch":null,"ifRev":3,"later":[]}],"later":{"a":[]}}`,
	`{"clientMutationId":"m","entityId":"k","patch":{"liked":true}}`,
	`{"type":"mutate","clientMutationId":"m","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","entityId":"k","patch":null}`,
	`{"type":"mutate","clientMutationId":"m","traceparent":7,"entityId":"k","patch":null}`,
}

func TestReadFrame_TakesWhatIsOrdinary(t *testing.T) {
	for _, frame := range ordinary {
		if !sameFrame(t, []byte(frame)) {
			t.Errorf("%s is left to encoding/json", frame)
		}
	}
}

// members of frames, good and bad, by name.
var members = map[string][]string{
	"type":             {`"mutate"`, `"mutate"`, `"mutate"`, `"cancel"`, `"presence"`, `"auth"`, `"ping"`, `"other"`, `null`, `"mut\u0061te"`},
	"clientMutationId": {`"m"`, `"m-1_X"`, `""`, `"a:b"`, `7`, `null`, `"` + strings.Repeat("m", 65) + `"`},
	"entityId":         {`"k"`, `"member:\u00fc"`, `""`, `null`},
	"patch":            {`null`, `{}`, `{"title":"x"}`, `{"position":{"before":"k"},"labels":["a","a"],"archived":false,"wipLimit":3}`, `{"title":"x","title":"y"}`, `[]`, `{"x-a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`},
	"if":               {`null`, `{}`, `{"title":null,"labels":{"add":"x"}}`, `3`},
	"ifRev":            {`null`, `0`, `12`, `-1`, `1.0`, `18446744073709551615`},
	"expiresAt":        {`null`, `"2026-03-01T10:04:12+02:00"`, `"2026-03-01t10:04:12Z"`, `"1969-01-01T00:00:00Z"`, `""`, `"soon"`, `1`},
	"ttlMs":            {`null`, `1000`, `60000`, `999`, `60001`, `"1000"`, `1e3`},
	"changes":          {`null`, `[]`, `[{"entityId":"a","patch":{}}]`, `[{"entityId":"a","patch":{}},{"patch":null,"entityId":"b","toggle":true,"ifRev":1}]`, `[{"entityId":"a"}]`, `[null]`, `[{"entityId":"a","patch":{},"patch":{}}]`, "[" + strings.Repeat(`{"entityId":"a","patch":{}},`, MaxChanges) + `{"entityId":"a","patch":{}}]`},
	"data":             {`null`, `{}`, ` { "a" : 1 } `, `"\ud800"`, `"` + strings.Repeat("d", MaxPresence) + `"`},
	"token":            {`"t"`, `null`, `""`},
	"traceparent":      {`null`, `""`, `7`, `"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"`, `"00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033\u0033x-01"`, `[1]`},
	"later":            {`{"a":[1,2,{"b":null}]}`, `-0.5e+3`, `tru`},
	"Type":             {`"ping"`},
}

func TestReadFrame_EachMemberInEveryForm(t *testing.T) {
	for _, base := range []string{`"type":"mutate","clientMutationId":"m","entityId":"k","patch":{}`, `"type":"mutate","clientMutationId":"m","changes":[{"entityId":"k","patch":{}}]`,
		`"type":"mutate","clientMutationId":"m","entityId":"k","patch":{},"expiresAt":"2026-03-01T10:04:12Z","ttlMs":1000,"if":{},"ifRev":1`,
		`"type":"mutate","clientMutationId":"m","entityId":"k"`, `"type":"mutate","entityId":"k","patch":{}`, `"type":"mutate","clientMutationId":"m"`,
		`"type":"cancel","clientMutationId":"m"`, `"type":"cancel"`, `"type":"presence","data":1`, `"type":"presence"`, `"type":"auth","token":"t"`, `"type":"auth"`, `"type":"ping"`, ``} {
		sameFrame(t, []byte("{"+base+"}"))
		for name, values := range members {
			for _, value := range values {
				member := `"` + name + `":` + value
				sameFrame(t, []byte("{"+base+","+member+"}"))
				sameFrame(t, []byte("{"+member+","+base+"}"))
				sameFrame(t, []byte(`{"type":"mutate","clientMutationId":"m","changes":[{"entityId":"k","patch":null},{`+strings.TrimPrefix(base, `"type":"mutate",`)+","+member+"}]}"))
			}
		}
	}
}

func TestReadFrame_ReadsAsEncodingJSON(t *testing.T) {
	names := []string{"type", "clientMutationId", "entityId", "patch", "if", "ifRev", "expiresAt", "ttlMs", "changes", "data", "token", "later", "Type", "traceparent"}
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		list := slices.Clone(rapid.SampledFrom([][]string{
			{},
			{`"type":` + rapid.SampledFrom(members["type"]).Draw(t, "type"), `"clientMutationId":"m"`},
			{`"type":"mutate"`, `"clientMutationId":"m"`, `"entityId":"k"`, `"patch":{}`},
			{`"type":"mutate"`, `"clientMutationId":"m"`, `"changes":[{"entityId":"k","patch":{}}]`},
		}).Draw(t, "base"))
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			list = append(list, `"`+name+`":`+rapid.SampledFrom(members[name]).Draw(t, "value"))
		}
		if rapid.Bool().Draw(t, "shuffled") {
			list = rapid.Permutation(list).Draw(t, "order")
		}
		frame := []byte(`{` + strings.Join(list, `,`) + `}`)
		if rapid.IntRange(0, 9).Draw(t, "spoilt") == 0 {
			frame[rapid.IntRange(0, len(frame)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("{}[]\",: \\0\xff\x00")).Draw(t, "byte")
		}
		if sameFrame(t, frame) {
			read++
		}
	})
	if read == 0 {
		t.Error("nothing was read without encoding/json")
	}
}

func FuzzReadFrame(f *testing.F) {
	for _, frame := range ordinary {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, data []byte) { sameFrame(t, data) })
}

func TestTrace_OfAMutate(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for value, want := range map[string]string{`"` + parent + `"`: parent, `"` + parent + `0"`: "", `""`: "", `7`: "", `null`: "", `{"a":1}`: ""} {
		f, bad := ParseClient([]byte(`{"type":"mutate","clientMutationId":"m","entityId":"k","patch":null,"traceparent":` + value + `}`))
		if bad != nil || f.Trace != want {
			t.Errorf("%s is taken as %q, %v", value, f.Trace, bad)
		}
	}
}
