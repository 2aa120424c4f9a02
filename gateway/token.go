package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/snapback-io/snapback/domain"
)

// Claims of a token to mint.
type Claims struct {
	User      string                 // sub, 1 to 255 bytes
	Name      string                 // shown to others
	Picture   string                 // https URL
	Boards    map[string]domain.Role // pattern ("design-*") -> role
	NotBefore time.Time              // zero: at once
	Expires   time.Time              // must be set
	KeyID     string                 // kid; "" leaves it out
}

// MintToken signs a token that an [Auth] with the same key accepts. It fails
// for a key that can only check and for claims that would be refused.
func MintToken(key Key, c Claims) (string, error) {
	if !key.CanSign() {
		return "", errors.New("gateway: a public key cannot mint tokens")
	}
	if err := validUser(c.User); err != nil {
		return "", err
	}
	if c.Expires.IsZero() {
		return "", errors.New("gateway: a token needs a time at which it expires")
	}
	for pattern, role := range c.Boards {
		if !role.Valid() {
			return "", fmt.Errorf("gateway: %q is no role (of boards %q)", role, pattern)
		}
	}
	if c.Picture != "" && displayPicture(c.Picture) == "" {
		return "", errors.New("gateway: a picture is an https URL")
	}
	body := claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: c.User, ExpiresAt: jwt.NewNumericDate(c.Expires)},
		Name:             c.Name, Picture: c.Picture, Boards: c.Boards,
	}
	if !c.NotBefore.IsZero() {
		body.NotBefore = jwt.NewNumericDate(c.NotBefore)
	}
	var method jwt.SigningMethod = jwt.SigningMethodEdDSA
	var with any = key.private
	if key.secret != nil {
		method, with = jwt.SigningMethodHS256, key.secret
	}
	t := jwt.NewWithClaims(method, &body)
	if c.KeyID != "" {
		t.Header["kid"] = c.KeyID
	}
	return t.SignedString(with)
}
