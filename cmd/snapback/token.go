package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway"
)

// tokenCmd mints what a server that was given the key (--auth-key) accepts.
type tokenCmd struct {
	Key     string                 `required:"" env:"SNAPBACK_KEY" placeholder:"FILE" help:"Key to sign with: an HS256 secret or an Ed25519 private key in PEM."`
	User    string                 `required:"" env:"SNAPBACK_USER" placeholder:"NAME" help:"Whose token it is (sub), 1 to 255 bytes."`
	Name    string                 `placeholder:"TEXT" env:"SNAPBACK_NAME" help:"Name shown to others."`
	Picture string                 `placeholder:"URL" env:"SNAPBACK_PICTURE" help:"Picture shown to others, https."`
	Board   map[string]domain.Role `placeholder:"PATTERN=ROLE" env:"SNAPBACK_BOARDS" help:"Role on boards without being a member, as in 'design-*=editor' (viewer, commenter, editor, admin); repeatable."`
	TTL     time.Duration          `default:"12h" env:"SNAPBACK_TTL" help:"For how long it is good."`
}

func (c *tokenCmd) run(_ context.Context, s streams) error {
	if c.TTL <= 0 {
		return usageError{fmt.Errorf("--ttl=%v: a token must be good for some time", c.TTL)}
	}
	for pattern, role := range c.Board {
		if !role.Valid() {
			return usageError{fmt.Errorf("--board=%s=%s: roles are viewer, commenter, editor and admin", pattern, role)}
		}
	}
	key, err := gateway.ReadKey(c.Key)
	if err != nil {
		return usageError{fmt.Errorf("--key=%s: %w", c.Key, fileFault(err))}
	}
	if !key.CanSign() {
		return usageError{fmt.Errorf("--key=%s: a public key can only check tokens, minting needs the private one", c.Key)}
	}
	token, err := gateway.MintToken(key, gateway.Claims{
		User: c.User, Name: c.Name, Picture: c.Picture, Boards: c.Board, Expires: time.Now().Add(c.TTL),
	})
	if err != nil {
		return usageError{err}
	}
	_, err = fmt.Fprintln(s.Out, token)
	return err
}

// keygenCmd makes keys for --auth-key and `snapback token --key`, and for
// --checkpoint-key.
type keygenCmd struct {
	File       string `arg:"" help:"File to write the key to; it must not be there yet. With --ed25519 and --checkpoint the public key goes to FILE.pub."`
	Ed         bool   `name:"ed25519" xor:"kind" help:"An Ed25519 pair: the private key mints, the server needs only the public one. Otherwise an HS256 secret that does both."`
	Checkpoint bool   `xor:"kind" help:"An Ed25519 pair for checkpoints: the private key signs (serve --checkpoint-key), auditors get the public one."`
	Name       string `default:"snapback" placeholder:"NAME" help:"With --checkpoint: name of the key in signatures, without spaces and plus (${default})."`
}

func (c *keygenCmd) run(_ context.Context, s streams) error {
	if c.Checkpoint {
		if err := writeSigner(c.File, c.Name); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.Out, "%s: private key, for --checkpoint-key\n%s.pub: public key, for auditors\n", c.File, c.File)
		return err
	}
	if !c.Ed {
		secret := make([]byte, 48)
		_, _ = rand.Read(secret) // never fails
		if err := writeNew(c.File, []byte(base64.RawURLEncoding.EncodeToString(secret)+"\n"), 0o600); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.Out, "%s: HS256 secret, for --auth-key and for token --key\n", c.File)
		return err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	publicDER, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	if err := writeNew(c.File, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER}), 0o600); err != nil {
		return err
	}
	if err := writeNew(c.File+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER}), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s: private key, for token --key\n%s.pub: public key, for --auth-key\n", c.File, c.File)
	return err
}

// writeNew writes a file that must not exist: a key is never overwritten. The
// file is there whole and on disk, or not at all: a power cut leaves no half of
// a key, with which a server would not start again.
func writeNew(name string, data []byte, mode os.FileMode) error {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s is there already; keys are not overwritten", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	if dir, err := os.Open(filepath.Dir(name)); err == nil {
		_ = dir.Sync() // not everywhere a directory can be
		_ = dir.Close()
	}
	return nil
}

// fileFault is err without what a message that names the file says already.
func fileFault(err error) error {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		return fault.Err
	}
	return err
}
