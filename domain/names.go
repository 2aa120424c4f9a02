package domain

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// nameKey is a file's name as it is compared among siblings.
type nameKey struct{ parent, folded string }

func nameKeyOf(e *Entity) nameKey {
	if e == nil || e.Kind != KindFile {
		return nameKey{}
	}
	return nameKey{e.Parent(), foldName(e.Fields.String("name"))}
}

// foldName maps names that count as equal to one string: NFC and case folding.
func foldName(name string) string {
	ascii := true
	for i := range len(name) {
		ascii = ascii && name[i] < utf8.RuneSelf
	}
	if ascii {
		return strings.ToLower(name)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}

// numbered gives name with " (n)" before its extension, the stem cut so that
// the whole is at most maxFileName bytes.
func numbered(name string, n int) string {
	stem, ext := name, ""
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		stem, ext = name[:dot], name[dot:]
	}
	suffix := " (" + strconv.Itoa(n) + ")"
	room := maxFileName - len(suffix) - len(ext)
	if room < 1 { // an extension that long is none
		stem, ext, room = name, "", maxFileName-len(suffix)
	}
	if len(stem) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(stem[cut]) {
			cut--
		}
		stem = strings.TrimRight(stem[:cut], " ")
	}
	return stem + suffix + ext
}
