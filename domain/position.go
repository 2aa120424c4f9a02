package domain

import (
	"errors"
	"strings"
)

// Positions are fractional index keys: base 62, the format of the npm package
// fractional-indexing. A key is an integer part, whose first letter says how
// many digits it has, and a fraction without trailing zero. Keys compare as bytes.

const (
	digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// smallestInteger has no key below it; it is not a key by itself.
	smallestInteger = "A00000000000000000000000000"
	// MaxPosition is how long a position may be, in bytes.
	MaxPosition = 200
)

var errPosition = errors.New("domain: not a position key")

// ValidPosition says whether key is a fractional index key of at most
// MaxPosition bytes.
func ValidPosition(key string) bool {
	if len(key) > MaxPosition {
		return false
	}
	_, _, err := splitKey(key)
	return err == nil
}

// KeyBetween gives a key that sorts after a and before b; "" is the open end
// on that side. It fails if a or b is no key or a is not before b. The result
// may be longer than MaxPosition: then the list must be respaced.
func KeyBetween(a, b string) (string, error) {
	if a != "" && b != "" && a >= b {
		return "", errPosition
	}
	switch {
	case a == "" && b == "":
		return "a0", nil
	case a == "":
		return keyBefore(b)
	case b == "":
		return keyAfter(a)
	}
	ai, af, err := splitKey(a)
	if err != nil {
		return "", err
	}
	bi, bf, err := splitKey(b)
	if err != nil {
		return "", err
	}
	if ai == bi {
		return ai + midpoint(af, bf, true), nil
	}
	if next := step(ai, +1); next != "" && next < b {
		return next, nil
	}
	return ai + midpoint(af, "", false), nil
}

// KeysEvenly gives n ascending keys of least length, for a list that is
// respaced or made in one go.
func KeysEvenly(n int) []string {
	keys := make([]string, n)
	last := ""
	for i := range keys {
		last, _ = KeyBetween(last, "") // cannot fail: last is our own key
		keys[i] = last
	}
	return keys
}

func keyBefore(b string) (string, error) {
	whole, fraction, err := splitKey(b)
	if err != nil {
		return "", err
	}
	if whole == smallestInteger {
		return whole + midpoint("", fraction, true), nil
	}
	if fraction != "" {
		return whole, nil
	}
	if prev := step(whole, -1); prev != smallestInteger {
		return prev, nil
	}
	return smallestInteger + midpoint("", "", false), nil
}

func keyAfter(a string) (string, error) {
	whole, fraction, err := splitKey(a)
	if err != nil {
		return "", err
	}
	if next := step(whole, +1); next != "" {
		return next, nil
	}
	return whole + midpoint(fraction, "", false), nil
}

// splitKey gives the integer part and the fraction of a key.
func splitKey(key string) (whole, fraction string, err error) {
	if key == "" || key == smallestInteger {
		return "", "", errPosition
	}
	n := 0
	switch h := key[0]; {
	case h >= 'a' && h <= 'z':
		n = int(h-'a') + 2
	case h >= 'A' && h <= 'Z':
		n = int('Z'-h) + 2
	}
	if n == 0 || len(key) < n {
		return "", "", errPosition
	}
	whole, fraction = key[:n], key[n:]
	if strings.HasSuffix(fraction, "0") {
		return "", "", errPosition
	}
	for i := 1; i < len(key); i++ {
		switch c := key[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		default:
			return "", "", errPosition
		}
	}
	return whole, fraction, nil
}

// midpoint gives a fraction between a and b, neither with a trailing zero.
// bounded tells a fraction b of "" (nothing lies below) from no upper bound.
func midpoint(a, b string, bounded bool) string {
	if bounded && b != "" {
		n := 0
		for n < len(b) && digitAt(a, n) == b[n] {
			n++
		}
		if n > 0 {
			return b[:n] + midpoint(a[min(n, len(a)):], b[n:], true)
		}
	}
	low, high := 0, len(digits)
	if a != "" {
		low = strings.IndexByte(digits, a[0])
	}
	if bounded && b != "" {
		high = strings.IndexByte(digits, b[0])
	}
	if high-low > 1 {
		return digits[(low+high+1)/2 : (low+high+1)/2+1]
	}
	if bounded && len(b) > 1 {
		return b[:1]
	}
	rest := ""
	if a != "" {
		rest = a[1:]
	}
	return digits[low:low+1] + midpoint(rest, "", false)
}

func digitAt(s string, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return '0'
}

// step counts an integer part up or down by one; "" beyond the last.
func step(whole string, by int) string {
	head, body := whole[0], []byte(whole[1:])
	first, last := byte('0'), byte('z')
	if by < 0 {
		first, last = last, first
	}
	for i := len(body) - 1; i >= 0; i-- {
		if body[i] != last {
			body[i] = digits[strings.IndexByte(digits, body[i])+by]
			return string(head) + string(body)
		}
		body[i] = first
	}
	switch {
	case by > 0 && head == 'Z':
		return "a0"
	case by > 0 && head == 'z', by < 0 && head == 'A':
		return ""
	case by < 0 && head == 'a':
		return "Zz"
	}
	head += byte(by)
	if (head >= 'a') == (by > 0) {
		body = append(body, first)
	} else {
		body = body[:len(body)-1]
	}
	return string(head) + string(body)
}
