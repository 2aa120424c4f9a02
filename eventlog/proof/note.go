package proof

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Errors of reading a note.
var (
	// ErrNote: it is no signed note at all.
	ErrNote = errors.New("proof: not a signed note")
	// ErrStranger: none of the keys given has signed it.
	ErrStranger = errors.New("proof: not signed by a known key")
	// ErrSignature: it is signed in the name of a known key, but the signature is
	// not that of this text.
	ErrSignature = errors.New("proof: bad signature")
)

// DefaultKeyName is the name of a key for which none is chosen.
const DefaultKeyName = "snapback"

// NewKey makes an Ed25519 key in the forms of package note: private signs,
// public checks. The name stands in each signature; it has no spaces and no plus.
func NewKey(rand io.Reader, name string) (private, public string, err error) {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '+' || r > '~' }) {
		return "", "", fmt.Errorf("proof: %q is no name of a key: printable ASCII without spaces and plus", name)
	}
	return note.GenerateKey(rand, name)
}

// Signer signs notes. Safe for concurrent use.
type Signer struct {
	signer note.Signer
	public string
	check  note.Verifier
}

var errPrivate = errors.New("proof: not a private key for notes (PRIVATE+KEY+…)")

// ParseSigner reads a private key as NewKey wrote it, with or without the end
// of a line behind it.
func ParseSigner(private string) (*Signer, error) {
	private = strings.TrimSpace(private)
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, errPrivate
	}
	parts := strings.SplitN(private, "+", 5) // PRIVATE, KEY, name, hash, algorithm and seed
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errPrivate
	}
	key := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	public, err := note.NewEd25519VerifierKey(signer.Name(), key)
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	check, err := ParseVerifier(public)
	if err != nil {
		return nil, err
	}
	return &Signer{signer, public, check}, nil
}

// Public is the key to check with, in one line.
func (s *Signer) Public() string { return s.public }

// Verifier checks what s has signed.
func (s *Signer) Verifier() note.Verifier { return s.check }

// Sign gives the text with its signature: a note.
func (s *Signer) Sign(text string) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: text}, s.signer)
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	return signed, nil
}

// ParseVerifier reads a public key as NewKey wrote it, with or without the end
// of a line behind it.
func ParseVerifier(public string) (note.Verifier, error) {
	v, err := note.NewVerifier(strings.TrimSpace(public))
	if err != nil {
		return nil, errors.New("proof: not a public key for notes (NAME+HASH+KEY)")
	}
	return v, nil
}

// OpenNote gives the text of a note that one of the keys has signed. Errors:
// ErrNote, ErrStranger, ErrSignature.
func OpenNote(signed []byte, keys ...note.Verifier) (text string, err error) {
	n, err := note.Open(signed, note.VerifierList(keys...))
	var bad *note.InvalidSignatureError
	var unknown *note.UnverifiedNoteError
	switch {
	case errors.As(err, &bad):
		return "", fmt.Errorf("%w: not that of %s+%08x", ErrSignature, bad.Name, bad.Hash)
	case errors.As(err, &unknown):
		return "", fmt.Errorf("%w, but by %s", ErrStranger, signers(unknown.Note))
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrNote, err)
	}
	return n.Text, nil
}

func signers(n *note.Note) string {
	var names []string
	for _, sig := range n.UnverifiedSigs {
		names = append(names, fmt.Sprintf("%s+%08x", sig.Name, sig.Hash))
	}
	return strings.Join(names, ", ")
}

// OpenCheckpoint reads a signed checkpoint. Errors: those of OpenNote, ErrText.
func OpenCheckpoint(signed []byte, keys ...note.Verifier) (Checkpoint, error) {
	text, err := OpenNote(signed, keys...)
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpoint(text)
}

// PeekCheckpoint reads a signed checkpoint without checking who has signed it.
// Errors: ErrNote, ErrText.
func PeekCheckpoint(signed []byte) (Checkpoint, error) {
	text, err := PeekNote(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpoint(text)
}

// PeekNote gives the text of a note without checking who has signed it. Errors:
// ErrNote.
func PeekNote(signed []byte) (text string, err error) {
	_, err = note.Open(signed, note.VerifierList())
	var unknown *note.UnverifiedNoteError
	if !errors.As(err, &unknown) {
		return "", fmt.Errorf("%w: %w", ErrNote, err)
	}
	return unknown.Note.Text, nil
}

// OpenHead reads a signed head. Errors: those of OpenNote, ErrText.
func OpenHead(signed []byte, keys ...note.Verifier) (Head, error) {
	text, err := OpenNote(signed, keys...)
	if err != nil {
		return Head{}, err
	}
	return ParseHead(text)
}
