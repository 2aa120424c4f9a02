package gateway

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/snapback-io/snapback/domain"
)

// pemOf writes both halves of a new Ed25519 key as openssl would.
func pemOf(t *testing.T) (public, private []byte) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pubDER, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	privDER, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pubDER}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privDER})
}

func mustKey(t *testing.T, id string, data []byte) Key {
	t.Helper()
	k, err := ParseKey(id, data)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustAuth(t *testing.T, keys ...Key) *Auth {
	t.Helper()
	a, err := NewAuth(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// signed makes a token with any header and body, as an attacker may.
func signed(t *testing.T, header, body string, sign func(input string) []byte) string {
	t.Helper()
	enc := base64.RawURLEncoding
	input := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(body))
	return input + "." + enc.EncodeToString(sign(input))
}

func hs256(secret []byte) func(string) []byte {
	return func(input string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(input))
		return m.Sum(nil)
	}
}

func TestAuth_TokenMatrix(t *testing.T) {
	t.Parallel()
	now := time.Unix(2_000_000_000, 0)
	secret := []byte("0123456789abcdef0123456789abcdef")
	other := []byte("fedcba9876543210fedcba9876543210")
	pub, priv := pemOf(t)
	_, strangerPEM := pemOf(t)
	hs := mustKey(t, "hs", secret)
	ed := mustKey(t, "ed", pub)
	edSign, stranger := mustKey(t, "ed", priv), mustKey(t, "ed", strangerPEM)
	both := mustAuth(t, hs, ed)
	both.now = func() time.Time { return now }
	onlyEd := mustAuth(t, ed)
	onlyEd.now = both.now
	onlyHS := mustAuth(t, hs)
	onlyHS.now = both.now

	mint := func(k Key, change func(*Claims)) string {
		c := Claims{User: "ann", Expires: now.Add(time.Hour)}
		if change != nil {
			change(&c)
		}
		token, err := MintToken(k, c)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := fmt.Sprintf(`{"sub":"ann","exp":%d}`, now.Unix()+60)
	h := `{"alg":"HS256","typ":"JWT"}`
	tests := []struct {
		name  string
		auth  *Auth
		token string
		want  error // nil: ann
	}{
		{"HS256", both, mint(hs, nil), nil},
		{"EdDSA", both, mint(edSign, nil), nil},
		{"HS256 by kid", both, mint(hs, func(c *Claims) { c.KeyID = "hs" }), nil},
		{"EdDSA by kid", both, mint(edSign, func(c *Claims) { c.KeyID = "ed" }), nil},
		{"kid of the other algorithm", both, mint(hs, func(c *Claims) { c.KeyID = "ed" }), errBadToken},
		{"kid unknown", both, mint(hs, func(c *Claims) { c.KeyID = "older" }), errBadToken},
		{"kid no string", both, signed(t, `{"alg":"HS256","kid":7}`, good, hs256(secret)), errBadToken},
		{"another secret", both, signed(t, h, good, hs256(other)), errBadToken},
		{"another private key", both, mint(stranger, nil), errBadToken},
		{"HS256 where only EdDSA is set", onlyEd, mint(hs, nil), errBadToken},
		{"EdDSA where only HS256 is set", onlyHS, mint(edSign, nil), errBadToken},
		{"public key PEM as HS256 secret", onlyEd, signed(t, h, good, hs256(pub)), errBadToken},
		{"public key bytes as HS256 secret", onlyEd, signed(t, h, good, hs256(ed.public)), errBadToken},
		{"alg none", both, signed(t, `{"alg":"none"}`, good, func(string) []byte { return nil }), errBadToken},
		{"alg None", both, signed(t, `{"alg":"None"}`, good, hs256(secret)), errBadToken},
		{"alg HS384 in name", both, signed(t, `{"alg":"HS384"}`, good, hs256(secret)), errBadToken},
		{"alg missing", both, signed(t, `{}`, good, hs256(secret)), errBadToken},
		{"crit", both, signed(t, `{"alg":"HS256","crit":["b64"],"b64":false}`, good, hs256(secret)), errBadToken},
		{"expired", both, mint(hs, func(c *Claims) { c.Expires = now.Add(-tokenLeeway - time.Second) }), errTokenExpired},
		{"expired within the leeway", both, mint(hs, func(c *Claims) { c.Expires = now.Add(-tokenLeeway + time.Second) }), nil},
		{"not yet valid", both, mint(hs, func(c *Claims) { c.NotBefore = now.Add(time.Minute) }), errBadToken},
		{"nearly valid", both, mint(hs, func(c *Claims) { c.NotBefore = now.Add(tokenLeeway - time.Second) }), nil},
		{"no exp", both, signed(t, h, `{"sub":"ann"}`, hs256(secret)), errBadToken},
		{"exp a string", both, signed(t, h, `{"sub":"ann","exp":"never"}`, hs256(secret)), errBadToken},
		{"no sub", both, signed(t, h, strings.Replace(good, `"sub":"ann",`, "", 1), hs256(secret)), errBadToken},
		{"empty sub", both, signed(t, h, strings.Replace(good, `ann`, ``, 1), hs256(secret)), errBadToken},
		{"sub a number", both, signed(t, h, strings.Replace(good, `"ann"`, `7`, 1), hs256(secret)), errBadToken},
		{"sub too long", both, signed(t, h, strings.Replace(good, `ann`, strings.Repeat("é", 128), 1), hs256(secret)), errBadToken},
		{"sub not UTF-8", both, signed(t, h, strings.Replace(good, `ann`, "an\xff", 1), hs256(secret)), errBadToken},
		{"sub a lone surrogate", both, signed(t, h, strings.Replace(good, `ann`, `an\ud800`, 1), hs256(secret)), errBadToken},
		{"sub with a control", both, signed(t, h, strings.Replace(good, `ann`, `an\n`, 1), hs256(secret)), errBadToken},
		{"role unknown", both, signed(t, h, strings.Replace(good, `{`, `{"boards":{"a":"owner"},`, 1), hs256(secret)), errBadToken},
		{"boards a list", both, signed(t, h, strings.Replace(good, `{`, `{"boards":["a"],`, 1), hs256(secret)), errBadToken},
		{"cut", both, mint(hs, nil)[:40], errBadToken},
		{"empty", both, "", errBadToken},
		{"too long", both, mint(hs, func(c *Claims) { c.Name = strings.Repeat("x", maxToken) }), errBadToken},
		{"spare signature bits", both, spareBits(mint(hs, nil)), errBadToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := tt.auth.check(tt.token)
			if !errors.Is(err, tt.want) {
				t.Fatalf("check: %v, want %v", err, tt.want)
			}
			if tt.want == nil && id.user != "ann" {
				t.Errorf("user %q", id.user)
			}
			if tt.want != nil && id.user != "" {
				t.Errorf("a refused token named %q", id.user)
			}
		})
	}
}

// spareBits sets a bit of the last character that no byte of the signature has.
func spareBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + alphabet[last^1:last^1+1]
}

func TestAuth_SubIsTheUserAsItIs(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "", []byte(strings.Repeat("s", MinSecret)))
	a := mustAuth(t, key)
	for _, user := range []string{"a", " Ann ", "auth0|5f", "ann@example.org", "e\u0301", "A<b>", strings.Repeat("x", maxUser)} {
		token, err := MintToken(key, Claims{User: user, Expires: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatalf("%q: %v", user, err)
		}
		id, err := a.check(token)
		if err != nil || id.user != user {
			t.Errorf("%q became %q (%v)", user, id.user, err)
		}
	}
}

func TestAuth_NameAndPictureAreDecoration(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "", []byte(strings.Repeat("s", MinSecret)))
	a := mustAuth(t, key)
	for _, tt := range []struct{ name, picture, wantName, wantPicture string }{
		{"Ann", "https://img.example/a.png", "Ann", "https://img.example/a.png"},
		{" A\u202enn\n", "http://img.example/a.png", "Ann", ""},
		{strings.Repeat("é", 300), "javascript:alert(1)", strings.Repeat("é", 255), ""},
		{"e\u0301", "https://user@img.example/", "\u00e9", ""},
		{"", "https://", "", ""},
	} {
		c := claims{Name: tt.name, Picture: tt.picture}
		c.Subject, c.ExpiresAt = "ann", jwt.NewNumericDate(time.Now().Add(time.Minute))
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, &c).SignedString(key.secret)
		if err != nil {
			t.Fatal(err)
		}
		id, err := a.check(token)
		if err != nil || id.name != tt.wantName || id.picture != tt.wantPicture {
			t.Errorf("%q, %q: %q, %q, %v", tt.name, tt.picture, id.name, id.picture, err)
		}
	}
}

func TestAuth_BoardsClaimHighestRoleCounts(t *testing.T) {
	t.Parallel()
	id := identity{boards: map[string]domain.Role{
		"design-*": domain.Viewer, "design-2*": domain.Admin, "*-draft": domain.Editor, "exact": domain.Commenter, "a*b*c": domain.Viewer,
	}}
	for board, want := range map[string]domain.Grant{
		"design-1": "viewer", "design-": "viewer", "design": "", "design-23": "admin", "design-1-draft": "editor",
		"exact": "commenter", "exactly": "", "xexact": "", "abc": "viewer", "axxbxxbxxc": "viewer", "acb": "", "ab": "", "DESIGN-1": "",
	} {
		for range 20 { // patterns come in any order
			if got := id.grant(board); got != want {
				t.Errorf("%s: %q, want %q", board, got, want)
			}
		}
	}
	if got := (identity{open: true}).grant("any"); got != domain.GrantOpen {
		t.Errorf("open mode grants %q", got)
	}
	if !matchBoard("*", "") || matchBoard("", "a") || !matchBoard("**a**", "a") {
		t.Error("* is any run of characters, none included")
	}
}

func TestAuth_KeyFiles(t *testing.T) {
	t.Parallel()
	pub, priv := pemOf(t)
	rsa := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: make([]byte, 64)})
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		data []byte
		alg  string // "": refused
		sign bool
	}{
		"2026.pub.pem": {pub, "EdDSA", false},
		"2026.key.pem": {priv, "EdDSA", true},
		"secret":       {[]byte(strings.Repeat("s", 32) + "\n"), "HS256", true},
		"short":        {[]byte(strings.Repeat("s", 31) + "\n"), "", false},
		"empty":        {nil, "", false},
		"rsa.pem":      {rsa, "", false},
		"broken.pem":   {pub[:60], "", false},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := ReadKey(file)
		if (err == nil) != (tt.alg != "") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		stem, _, _ := strings.Cut(name, ".")
		if err == nil && (k.algorithm() != tt.alg || k.CanSign() != tt.sign || k.ID != stem) {
			t.Errorf("%s: %s, signs %v, id %q", name, k.algorithm(), k.CanSign(), k.ID)
		}
	}
	if _, err := NewAuth(); err == nil {
		t.Error("auth without a key")
	}
	twice := mustKey(t, "a", pub)
	if _, err := NewAuth(twice, twice); err == nil {
		t.Error("two keys of one id")
	}
	if _, err := MintToken(twice, Claims{User: "ann", Expires: time.Now().Add(time.Hour)}); err == nil {
		t.Error("a public key minted a token")
	}
}

func TestAuth_CredentialsAreNeverReadFromTheURL(t *testing.T) {
	t.Parallel()
	key := mustKey(t, "", []byte(strings.Repeat("s", MinSecret)))
	token, err := MintToken(key, Claims{User: "ann", Expires: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{cfg: Config{Auth: mustAuth(t, key)}}
	for _, tt := range []struct {
		name          string
		authorization []string
		query         string
		want          error
	}{
		{"header", []string{"Bearer " + token}, "", nil},
		{"header, lower case", []string{"bearer " + token}, "", nil},
		{"nothing", nil, "", errNoToken},
		{"query", nil, "?token=" + token + "&access_token=" + token + "&user=ann", errNoToken},
		{"basic", []string{"Basic YW5uOnB3"}, "", errBadToken},
		{"two headers", []string{"Bearer " + token, "Bearer " + token}, "", errBadToken},
	} {
		r := httptest.NewRequest("GET", "/v1/boards/b"+tt.query, nil)
		for _, v := range tt.authorization {
			r.Header.Add("Authorization", v)
		}
		if id, err := s.identify(r); !errors.Is(err, tt.want) || (err == nil && id.user != "ann") {
			t.Errorf("%s: %q, %v, want %v", tt.name, id.user, err, tt.want)
		}
	}
}

func TestOpenMode_UserOfTheQuery(t *testing.T) {
	t.Parallel()
	s := &Server{}
	for query, want := range map[string]string{
		"": "guest", "?user=ann": "ann", "?user=J%C3%BCrg+B": "Jürg B", "?user=a&user=b": "a", "?x=1": "guest",
		"?user=": "", "?user=%00": "", "?user=a%0Ab": "", "?user=%ff": "", "?user=%zz": "", "?user=" + strings.Repeat("a", 255): strings.Repeat("a", 255),
		"?user=" + strings.Repeat("a", 256): "",
	} {
		id, err := s.identify(httptest.NewRequest("GET", "/v1/boards"+query, nil))
		if id.user != want || (err != nil) != (want == "") || (err != nil && !errors.Is(err, errUser)) {
			t.Errorf("%s: %q, %v", query, id.user, err)
		}
	}
}
