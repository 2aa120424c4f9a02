package eventlog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Access is what a NATS server is shown by who connects, and what it is known
// by: names of files, which are read again at every connect. A user with a
// password, or a token, is part of Config.URL. The zero value shows nothing.
type Access struct {
	NKey  string // seed of a user ("SU…")
	Creds string // a user's JWT and seed, as nsc writes them; not beside NKey
	CA    string // PEM: who signs certificates of servers; "": the system's
	Cert  string // PEM: the client's certificate, with Key
	Key   string // PEM: its private key
}

// AccessError says which file of an Access is of no use. It shows nothing of
// what is in it.
type AccessError struct {
	What string // nkey, creds, ca, cert or key
	File string
	Err  error
}

func (e *AccessError) Error() string {
	return "eventlog: " + e.What + " " + e.File + ": " + e.Err.Error()
}
func (e *AccessError) Unwrap() error { return e.Err }

// Check reads the files. Errors: AccessError.
func (a *Access) Check() error {
	wrong := func(what, file string, err error) error { return &AccessError{What: what, File: file, Err: err} }
	switch {
	case a.NKey != "" && a.Creds != "":
		return wrong("creds", a.Creds, errors.New("a user has an nkey or credentials, not both"))
	case a.Cert != "" && a.Key == "":
		return wrong("cert", a.Cert, errors.New("a certificate needs its key"))
	case a.Cert == "" && a.Key != "":
		return wrong("key", a.Key, errors.New("a key needs its certificate"))
	}
	if a.NKey != "" {
		if err := checkSeed(a.NKey, false); err != nil {
			return wrong("nkey", a.NKey, err)
		}
	}
	if a.Creds != "" {
		if err := checkSeed(a.Creds, true); err != nil {
			return wrong("creds", a.Creds, err)
		}
	}
	if a.CA != "" {
		text, err := os.ReadFile(a.CA)
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
			err = errors.New("no certificate in PEM")
		}
		if err != nil {
			return wrong("ca", a.CA, err)
		}
	}
	if a.Cert != "" {
		if _, err := tls.LoadX509KeyPair(a.Cert, a.Key); err != nil {
			return wrong("cert", a.Cert, err)
		}
	}
	return nil
}

// checkSeed looks for a user's seed, and for a JWT beside it, in a file.
func checkSeed(file string, withJWT bool) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	defer clear(text)
	if withJWT {
		if jwt, err := nkeys.ParseDecoratedJWT(text); err != nil || strings.Count(jwt, ".") != 2 {
			return errors.New("no JWT of a user")
		}
	}
	pair, err := nkeys.ParseDecoratedNKey(text)
	if err != nil {
		return errors.New("no seed of a user")
	}
	defer pair.Wipe()
	if public, err := pair.PublicKey(); err != nil || !nkeys.IsValidPublicUserKey(public) {
		return errors.New("the seed is not that of a user")
	}
	return nil
}

// options are those of a connection.
func (a *Access) options() ([]nats.Option, error) {
	// A server that knows its users by a service of its own may refuse them all
	// for a moment after its start: the connection goes on trying.
	options := []nats.Option{nats.IgnoreAuthErrorAbort()}
	if a.NKey != "" {
		option, err := nats.NkeyOptionFromSeed(a.NKey)
		if err != nil {
			return nil, &AccessError{What: "nkey", File: a.NKey, Err: err}
		}
		options = append(options, option)
	}
	if a.Creds != "" {
		options = append(options, nats.UserCredentials(a.Creds))
	}
	if a.CA != "" {
		options = append(options, nats.RootCAs(a.CA))
	}
	if a.Cert != "" {
		options = append(options, nats.ClientCert(a.Cert, a.Key))
	}
	return options, nil
}
