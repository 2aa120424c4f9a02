package verify

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

// lax are ways to write JSON otherwise that some readers take for the same:
// what is found, and what stands there instead.
var lax = []struct{ name, found, put string }{
	{"a space", `([,:{[])"`, `$1 "`},
	{"a name twice, null first", `\{"(\w+)":`, `{"$1":null,"$1":`},
	{"a name twice, another value first", `\{"(\w+)":("[^"]*")`, `{"$1":"other","$1":$2`},
	{"a name twice, another value behind", `\{"(\w+)":("[^"]*")`, `{"$1":$2,"$1":"other"`},
	{"a name twice, null behind", `\{"(\w+)":("[^"]*")`, `{"$1":$2,"$1":null`},
	{"a name in other letters first", `\{"([a-z])(\w*)":("[^"]*")`, `{"\u00$1$2":0,"$1$2":$3`},
	{"something unknown", `\{"`, `{"zz":1,"`},
	{"a null", `\{"`, `{"zz":null,"`},
	{"a number with a fraction", `:(\d+)([,}])`, `:$1.0$2`},
	{"a number with an exponent", `:(\d+)([,}])`, `:${1}e0$2`},
	{"a number that is large", `:(\d+)([,}])`, `:${1}00000000000000000000000$2`},
	{"a number that is negative", `:0([,}])`, `:-0$1`},
	{"an escape", `"([a-f])([a-zA-Z]*)"`, `"\u006$1$2"`},
	{"bytes that are no text", `:"([a-zA-Z])`, ":\"\xff$1"},
	{"half a character", `:"([a-zA-Z])`, `:"\ud800$1`},
	{"a comma more", `\]`, `,]`},
	{"no list", `\[\]`, `null`},
	{"something behind", `\}$`, `}{}`},
	{"a line end behind", `\}$`, "}\n"},
	{"a zone", `Z"`, `+00:00"`},
	{"a comma in a time", `\.(\d+)Z"`, `,${1}Z"`},
}

// Nothing else can be read in a record than what was decided: what is written
// otherwise is found, by whatever name, under a hash and in a chain that fit.
func TestARecordIsTakenOnlyAsItIsWritten(t *testing.T) {
	s := verifytest.New("b", 11).Start().Run(60)
	list := records(s)
	made := make(map[string]int)
	rapid.Check(t, func(t *rapid.T) {
		way := lax[rapid.IntRange(0, len(lax)-1).Draw(t, "way")]
		i := rapid.IntRange(0, len(list)-1).Draw(t, "record")
		text := string(list[i].Data)
		all := regexp.MustCompile(way.found).FindAllStringIndex(text, -1)
		if len(all) == 0 {
			return
		}
		at := all[rapid.IntRange(0, len(all)-1).Draw(t, "place")]
		put := regexp.MustCompile(way.found).ReplaceAllString(text[at[0]:at[1]], way.put)
		if strings.HasPrefix(way.name, "a name in other letters") {
			put = strings.Replace(put, `\u00`, "", 1)
			put = put[:2] + strings.ToUpper(put[2:3]) + put[3:]
		}
		to := slices.Clone(list[:i+1])
		to[i].Data = []byte(text[:at[0]] + put + text[at[1]:])
		to[i].Hash = fmt.Sprintf("%x", sum(to[i].Data))
		if string(to[i].Data) == text {
			return
		}
		c, _, err := domain.DecodeCommit(to[i].Data)
		if err == nil {
			made[way.name+", read"]++
			if again, _, err := c.Encode(); err == nil && string(again) == string(to[i].Data) {
				return // another record, as a service would write it
			}
		}
		if _, found := run(Config{Board: "b"}, to); len(found) == 0 {
			t.Fatalf("%s is not found:\n%s\nwas\n%s", way.name, to[i].Data, text)
		}
		made[way.name]++
	})
	if len(made) < len(lax) {
		t.Errorf("too little happened: %v", made)
	}
}
