package domain

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// What encoding/json writes, without reflection for the common values.

func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(appendString(dst, name), ':')
}

func appendRev(dst []byte, name string, rev uint64) []byte {
	if rev == 0 {
		return dst
	}
	return strconv.AppendUint(appendName(dst, name), rev, 10)
}

// appendMade writes a time and a user under what + "At" and "By".
func appendMade(dst []byte, what string, at time.Time, by string) []byte {
	if !at.IsZero() {
		dst = append(appendName(dst, what+"At"), '"')
		dst = append(at.AppendFormat(dst, time.RFC3339Nano), '"')
	}
	if by != "" {
		dst = appendString(appendName(dst, what+"By"), by)
	}
	return dst
}

func appendValue(dst []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case string:
		return appendString(dst, x), nil
	case bool:
		return strconv.AppendBool(dst, x), nil
	case int64:
		return strconv.AppendInt(dst, x, 10), nil
	case []string:
		dst = append(dst, '[')
		for i, s := range x {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, s)
		}
		return append(dst, ']'), nil
	}
	raw, err := json.Marshal(v)
	return append(dst, raw...), err
}

func appendString(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, '"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			raw, _ := json.Marshal(s) // a string always has an encoding
			return append(dst[:start], raw...)
		}
	}
	dst = append(dst, s...)
	return append(dst, '"')
}
