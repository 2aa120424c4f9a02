package plainjson

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var odd = []string{"", "plain text of more than eight bytes", `"`, `\`, "a\nb", "a <b> & c", "<<<<<<<<", "&&&&&&&&&", "1234567<", "1234567\"", "\x00", "\x1f\x20\x7f\x80", "ü", "1234567\u2028\u2029", "\xff", "\xed\xa0\x80", "\U0001F600", strings.Repeat("é\"\\\t", 9), "\ufffd"}

// library is s as encoding/json writes it.
func library(t interface{ Fatal(...any) }, s string, esc Escape) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(bool(esc))
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(buf.String(), "\n")
}

func TestStringsAreThoseOfEncodingJSON(t *testing.T) {
	check := func(t interface {
		Fatal(...any)
		Fatalf(string, ...any)
	}, s string) {
		for _, esc := range []Escape{Plain, HTML} {
			want := library(t, s, esc)
			if got := string(AppendString([]byte("x"), s, esc)); got != "x"+want {
				t.Fatalf("%q is written %s, should be %s", s, got[1:], want)
			}
			c := New([]byte(want))
			var back string
			if err := json.Unmarshal([]byte(want), &back); err != nil {
				t.Fatal(err)
			}
			if got := c.String(); got != back || !c.Done() {
				t.Fatalf("%s is read %q, should be %q", want, got, back)
			}
		}
	}
	for _, s := range odd {
		check(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.String().Draw(t, "s"))
		check(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(odd), 0, 6).Draw(t, "odd"), ""))
		check(t, string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
	})
}

// TestEveryByteAtEveryPlace of a word that is looked at in one go.
func TestEveryByteAtEveryPlace(t *testing.T) {
	for c := range 256 {
		for i := range 17 {
			b := bytes.Repeat([]byte("."), 17)
			b[i] = byte(c)
			for _, esc := range []Escape{Plain, HTML} {
				if got, want := string(AppendString(nil, string(b), esc)), library(t, string(b), esc); got != want {
					t.Fatalf("%q is written %s, should be %s", b, got, want)
				}
			}
		}
	}
}

func TestAppendTime(t *testing.T) {
	for _, at := range []time.Time{{}, time.UnixMilli(1772359451012).UTC(), time.Unix(0, 1).In(time.FixedZone("", -3600)), time.Unix(1<<40, 0), time.Unix(0, 0).In(time.FixedZone("", 30*3600))} {
		got, err := AppendTime(nil, at)
		want, wantErr := at.MarshalJSON()
		if (err == nil) != (wantErr == nil) || err == nil && string(got) != string(want) {
			t.Errorf("%v: %s %v, should be %s %v", at, got, err, want, wantErr)
		}
	}
}

// sameAsLibrary reads data in every way there is: what is read is what
// encoding/json reads.
func sameAsLibrary(t *testing.T, data []byte) {
	read := func(what string, got any, c *Cursor, want any) {
		if !c.Done() {
			return
		}
		err := json.Unmarshal(data, want)
		a, _ := json.Marshal(got)
		z, _ := json.Marshal(want)
		if err != nil || !bytes.Equal(a, z) {
			t.Errorf("%q as %s is %s, should be %s %v", data, what, a, z, err)
		}
	}
	c := New(data)
	read("anything", json.RawMessage(c.Raw()), &c, new(json.RawMessage))
	c = New(data)
	read("a string", c.String(), &c, new(string))
	c = New(data)
	read("a text", string(c.Text()), &c, new(string))
	c = New(data)
	read("a number", c.Int(), &c, new(int64))
	c = New(data)
	read("a count", c.Uint(), &c, new(uint64))
	c = New(data)
	read("a bool", c.Bool(), &c, new(bool))
	c = New(data)
	read("a time", c.Time(), &c, new(time.Time))
	c = New(data)
	object := map[string]int64{}
	for c.Open('{'); c.Next('}'); {
		name := string(c.Name())
		if _, twice := object[name]; twice {
			c.GiveUp()
		}
		object[name] = c.Int()
	}
	read("an object", object, &c, &map[string]int64{})
	c = New(data)
	list := []string{}
	for c.Open('['); c.Next(']'); {
		list = append(list, c.Word(Words{"a": "a"}, "b"))
	}
	read("a list", list, &c, &[]string{})
}

var values = []string{
	``, ` `, `null`, `nul`, ` true`, `false `, `truefalse`, `0`, `-0`, `- 1`, `-1`, `+1`, `01`, `1.5`, `1.`, `.5`, `1e5`, `1E-5`, `1e`, `999999999999999999`, `9999999999999999999`, `0x1`,
	`""`, `"a"`, `"\u00e9\n\/\""`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx\ude00"`, `"\ude00\ud83d"`, `"\ufffd"`, `"\u12"`, `"\x"`, `"\`, `"`, `"\\"`, `"\\\"`, `"é"`, "\"\xff\"", "\"\n\"", "\"\\n\x01\"", `"é" "a"`,
	`[]`, `[1]`, `["a","b"]`, `["a",]`, `[,"a"]`, `["a" "b"]`, `["a",,"b"]`, `[`, `]`, `["a"`, `["a"]]`, `[[["a"]]]`, `[nan]`,
	`{}`, `{"a":1}`, `{"a":1,"b":-2}`, `{"a":1,}`, `{,"a":1}`, `{"a" 1}`, `{"a"}`, `{"a":1,"a":2}`, `{"\u0061":1}`, `{a:1}`, `{"a":1}}`, ` { "a" : [ 1 , { "b" : null } ] } `,
	`"2026-03-01T10:04:12.031Z"`, `"2026-03-01T10:04:12+02:00"`, `"2026-03-01"`, `"2026-13-01T10:04:12Z"`, "\x00", "1\x00",
}

func TestCursorReadsAsEncodingJSON(t *testing.T) {
	for _, v := range values {
		sameAsLibrary(t, []byte(v))
	}
	deep := strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1)
	c := New([]byte(deep))
	if c.Raw(); c.Done() {
		t.Error("depth is not bounded")
	}
}

func TestCursorTakesWhatIsPlain(t *testing.T) {
	c := New([]byte(" { \"a\" : [ \"x\" , \"\\u00fc\\\"\" ] ,\n\t\"n\":-12,\"t\":true,\"z\":null,\"r\":{\"s\":[1.5,{}]},\"at\":\"2026-03-01T10:04:12.031Z\" }\r\n"))
	c.Open('{')
	ok := c.Next('}') && string(c.Name()) == "a"
	for c.Open('['); c.Next(']'); {
		s := c.String()
		ok = ok && (s == "x" || s == "ü\"")
	}
	ok = ok && c.Next('}') && string(c.Name()) == "n" && c.Int() == -12
	ok = ok && c.Next('}') && string(c.Name()) == "t" && c.Bool()
	ok = ok && c.Next('}') && string(c.Name()) == "z" && c.Null()
	ok = ok && c.Next('}') && string(c.Name()) == "r" && string(c.Raw()) == `{"s":[1.5,{}]}`
	ok = ok && c.Next('}') && string(c.Name()) == "at" && c.Time().Equal(time.Date(2026, 3, 1, 10, 4, 12, 31e6, time.UTC))
	if !ok || c.Next('}') || !c.Done() {
		t.Error("not taken")
	}
}

func FuzzCursor(f *testing.F) {
	for _, v := range values {
		f.Add([]byte(v))
	}
	f.Fuzz(sameAsLibrary)
}
