package gateway

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// MinSecret is how long an HS256 secret is at least, bytes.
const MinSecret = 32

// Key checks or signs tokens. Its algorithm is a property of the key and never
// of a token: an HS256 secret does both, an Ed25519 public key only checks, a
// private one does both.
type Key struct {
	// ID is compared with a token's kid header. A token without kid is checked
	// with every key of its algorithm.
	ID string

	secret  []byte
	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

// ReadKey reads a key file; its name up to the first dot is the key's ID. See
// [ParseKey] for what it may hold.
func ReadKey(file string) (Key, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return Key{}, fmt.Errorf("gateway: read key: %w", err)
	}
	id, _, _ := strings.Cut(filepath.Base(file), ".")
	key, err := ParseKey(id, data)
	if err != nil {
		return Key{}, fmt.Errorf("%w (%s)", err, file)
	}
	return key, nil
}

// ParseKey makes a key of a PEM block with an Ed25519 key (PUBLIC KEY or
// PRIVATE KEY, as openssl writes them) or of a secret of at least MinSecret
// bytes, of which one line break at the end is no part. Any other PEM is an
// error, never a secret: what is public must not sign.
func ParseKey(id string, data []byte) (Key, error) {
	if bytes.Contains(data, []byte("-----BEGIN")) {
		return parsePEM(id, data)
	}
	secret := bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	if len(secret) < MinSecret {
		return Key{}, fmt.Errorf("gateway: a secret has at least %d bytes, this one %d", MinSecret, len(secret))
	}
	return Key{ID: id, secret: bytes.Clone(secret)}, nil
}

var errKeyType = errors.New("gateway: not an Ed25519 key in PEM")

func parsePEM(id string, data []byte) (Key, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return Key{}, errKeyType
	}
	switch block.Type {
	case "PUBLIC KEY":
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		if public, ok := k.(ed25519.PublicKey); ok && err == nil {
			return Key{ID: id, public: public}, nil
		}
	case "PRIVATE KEY":
		k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if private, ok := k.(ed25519.PrivateKey); ok && err == nil {
			return Key{ID: id, private: private, public: private.Public().(ed25519.PublicKey)}, nil
		}
	}
	return Key{}, errKeyType
}

// algorithm is the JWS alg of the tokens the key belongs to.
func (k Key) algorithm() string {
	if k.secret != nil {
		return "HS256"
	}
	return "EdDSA"
}

// verifies is what golang-jwt checks a signature with.
func (k Key) verifies() any {
	if k.secret != nil {
		return k.secret
	}
	return k.public
}

// CanSign says whether the key can mint tokens.
func (k Key) CanSign() bool { return k.secret != nil || k.private != nil }
