package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
)

const (
	maxUser    = 255  // bytes
	maxName    = 255  // code points
	maxPicture = 2048 // bytes
)

// errUser: a name that cannot be a user's.
var errUser = errors.New("gateway: not a user name")

// validUser checks a user as it is, without making anything of it. U+FFFD is
// refused because a JSON decoder writes it for what it cannot read.
func validUser(user string) error {
	switch {
	case user == "" || len(user) > maxUser:
		return fmt.Errorf("%w: 1 to %d bytes", errUser, maxUser)
	case !utf8.ValidString(user) || strings.ContainsRune(user, utf8.RuneError):
		return fmt.Errorf("%w: not UTF-8", errUser)
	case strings.ContainsFunc(user, unicode.IsControl):
		return fmt.Errorf("%w: control character", errUser)
	}
	return nil
}

// hidden are characters that no one-line text shows: controls and those that
// turn the direction of writing.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError ||
		r == '\u2028' || r == '\u2029'
}

// displayName makes a token's name fit for the eyes of others; it is
// decoration, so a bad one never refuses its bearer.
func displayName(name string) string { return domain.CleanLine(name, maxName) }

// displayPicture is the URL if it is one that a page may load, else "".
func displayPicture(picture string) string {
	u, err := url.Parse(picture)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(picture) > maxPicture {
		return ""
	}
	return u.String()
}
