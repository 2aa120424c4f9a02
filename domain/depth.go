package domain

// MaxDepth is how deep JSON that comes from outside may be nested: far more
// than a value of the largest x- field can be, and far less than encoding/json
// reads back when a record holds it some levels further down.
const MaxDepth = 4096

// TooDeep says whether the valid JSON raw is nested deeper than MaxDepth.
// Nothing too deep may come into a command: no record that holds it could be read.
func TooDeep(raw []byte) bool {
	if len(raw) <= MaxDepth {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}
