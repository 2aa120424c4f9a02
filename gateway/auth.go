package gateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/snapback-io/snapback/domain"
)

const (
	// maxToken is how long a token may be, bytes.
	maxToken = 16 << 10
	// tokenLeeway is by how much the issuer's clock may differ.
	tokenLeeway = 5 * time.Second
)

// Errors of a check. The socket closes 4500 on the first and 4001 on the second;
// HTTP answers 401 to each.
var (
	errBadToken     = errors.New("gateway: bad token")
	errTokenExpired = errors.New("gateway: token expired")
	errNoToken      = errors.New("gateway: no token")
)

// Auth checks bearer tokens: JWT, HS256 or EdDSA, each key with its own
// algorithm only. Safe for concurrent use.
type Auth struct {
	keys   []Key
	parser *jwt.Parser
	now    func() time.Time
}

// NewAuth makes an Auth of one or more keys; two keys of one algorithm may not
// share an ID. A token must carry exp.
func NewAuth(keys ...Key) (*Auth, error) {
	if len(keys) == 0 {
		return nil, errors.New("gateway: auth without a key")
	}
	a := &Auth{keys: keys, now: time.Now}
	for i, k := range keys {
		if k.secret == nil && k.public == nil {
			return nil, errors.New("gateway: an empty key")
		}
		for _, other := range keys[:i] {
			if other.ID == k.ID && other.algorithm() == k.algorithm() {
				return nil, fmt.Errorf("gateway: two keys with the id %q", k.ID)
			}
		}
	}
	a.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256", "EdDSA"}),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(tokenLeeway),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return a.now() }),
	)
	return a, nil
}

// claims of a token that matter here; PROTOCOL.md, "Connecting".
type claims struct {
	jwt.RegisteredClaims
	Name    string                 `json:"name,omitempty"`
	Picture string                 `json:"picture,omitempty"`
	Boards  map[string]domain.Role `json:"boards,omitempty"`
}

// check gives who a token says its bearer is. It fails with errTokenExpired or
// errBadToken, wrapped with a reason that may be shown to the bearer.
func (a *Auth) check(token string) (identity, error) {
	if len(token) > maxToken {
		return identity{}, fmt.Errorf("%w: longer than %d bytes", errBadToken, maxToken)
	}
	var c claims
	_, err := a.parser.ParseWithClaims(token, &c, a.keysFor)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return identity{}, errTokenExpired
	case err != nil:
		return identity{}, fmt.Errorf("%w: %s", errBadToken, tokenFault(err))
	}
	if !payloadIsUTF8(token) {
		return identity{}, fmt.Errorf("%w: not UTF-8", errBadToken)
	}
	if err := validUser(c.Subject); err != nil {
		return identity{}, fmt.Errorf("%w: sub: %w", errBadToken, err)
	}
	for pattern, role := range c.Boards {
		if !role.Valid() {
			return identity{}, fmt.Errorf("%w: boards: %q has no role of this server", errBadToken, pattern)
		}
	}
	return identity{
		user: c.Subject, name: displayName(c.Name), picture: displayPicture(c.Picture),
		boards: c.Boards, expires: c.ExpiresAt.Time,
	}, nil
}

// keysFor gives the keys that may have signed the token: those of its
// algorithm, and with a kid only the one it names.
func (a *Auth) keysFor(t *jwt.Token) (any, error) {
	if _, ok := t.Header["crit"]; ok {
		return nil, errors.New("crit header")
	}
	kid, named := t.Header["kid"]
	var set jwt.VerificationKeySet
	for _, k := range a.keys {
		if k.algorithm() == t.Method.Alg() && (!named || kid == k.ID) {
			set.Keys = append(set.Keys, k.verifies())
		}
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("no key of this server")
	}
	return set, nil
}

// tokenFault words why a token was refused, without a word of its content.
func tokenFault(err error) string {
	for _, known := range []error{
		jwt.ErrTokenMalformed, jwt.ErrTokenUnverifiable, jwt.ErrTokenSignatureInvalid,
		jwt.ErrTokenNotValidYet, jwt.ErrTokenRequiredClaimMissing,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return jwt.ErrTokenInvalidClaims.Error()
}

// payloadIsUTF8 keeps two tokens whose broken bytes would be replaced alike
// from naming one user.
func payloadIsUTF8(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && utf8.Valid(payload) && json.Valid(payload)
}

// identity is who somebody is.
type identity struct {
	user, name, picture string
	boards              map[string]domain.Role // token's claim: pattern -> role
	open                bool
	expires             time.Time // zero: never
}

// grant is what the identity may do on a board apart from its member entity.
func (id identity) grant(board string) domain.Grant {
	if id.open {
		return domain.GrantOpen
	}
	highest := domain.NoRole
	for pattern, role := range id.boards {
		if !highest.Includes(role) && matchBoard(pattern, board) {
			highest = role
		}
	}
	return domain.Grant(highest)
}

// matchBoard says whether pattern, in which each * stands for any run of
// characters, matches the whole of board.
func matchBoard(pattern, board string) bool {
	p, b, star, mark := 0, 0, -1, 0
	for b < len(board) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, b
			p++
		case p < len(pattern) && pattern[p] == board[b]:
			p++
			b++
		case star >= 0:
			mark++
			p, b = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// identify says who sends an HTTP request: by the Authorization header, or in
// open mode by the query's user. It fails with errNoToken, errTokenExpired,
// errBadToken or errUser.
func (s *Server) identify(r *http.Request) (identity, error) {
	if s.cfg.Auth == nil {
		return openIdentity(r)
	}
	token, err := bearerHeader(r)
	if err != nil {
		return identity{}, err
	}
	return s.cfg.Auth.check(token)
}

func bearerHeader(r *http.Request) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", errNoToken
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if len(values) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", fmt.Errorf("%w: not one Authorization: Bearer", errBadToken)
	}
	return strings.TrimLeft(token, " "), nil
}

// guest is who comes without a name in open mode.
const guest = "guest"

func openIdentity(r *http.Request) (identity, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return identity{}, fmt.Errorf("%w: malformed query", errUser)
	}
	user := guest
	if named, ok := query["user"]; ok {
		user = named[0]
	}
	if err := validUser(user); err != nil {
		return identity{}, err
	}
	return identity{user: user, open: true}, nil
}
