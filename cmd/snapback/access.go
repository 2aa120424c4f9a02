package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/snapback-io/snapback/eventlog"
)

// natsAccess is the flags that say who connects to --nats-url, and how it is
// known that the server is the right one. A user with a password, or a token,
// is part of the URL.
type natsAccess struct {
	NKey  string `name:"nats-nkey" env:"NATS_NKEY" placeholder:"FILE" help:"Connect to --nats-url as the NKey user whose seed is in this file."`
	Creds string `name:"nats-creds" env:"NATS_CREDS" placeholder:"FILE" help:"Connect to --nats-url with the JWT and the seed in this credentials file."`
	CA    string `name:"nats-ca" env:"NATS_CA" placeholder:"FILE" help:"Who signs certificates of the servers at --nats-url, PEM (the system's)."`
	Cert  string `name:"nats-cert" env:"NATS_CERT" placeholder:"FILE" help:"Certificate to show to --nats-url, PEM; with --nats-key."`
	Key   string `name:"nats-key" env:"NATS_KEY" placeholder:"FILE" help:"Its private key, PEM."`
}

func (a *natsAccess) access() eventlog.Access {
	return eventlog.Access{NKey: a.NKey, Creds: a.Creds, CA: a.CA, Cert: a.Cert, Key: a.Key}
}

// check says what is wrong with the flags and their files. natsURL is --nats-url.
func (a *natsAccess) check(natsURL string) error {
	if natsURL == "" && *a != (natsAccess{}) {
		return errors.New("--nats-nkey, --nats-creds, --nats-ca, --nats-cert, --nats-key: they are of --nats-url")
	}
	if strings.Contains(withoutPassword(natsURL), unreadableURL) { // not shown: it may hold a password
		return errors.New("--nats-url: it is like nats://host:4222, several with commas between")
	}
	access := a.access()
	err := access.Check()
	var fault *eventlog.AccessError
	if errors.As(err, &fault) {
		return fmt.Errorf("--nats-%s=%s: %w", fault.What, fault.File, fileFault(fault.Err))
	}
	return err
}

// refused is an error of opening the log at natsURL, with what was shown to it.
func (a *natsAccess) refused(natsURL string, err error) error {
	switch {
	case !errors.Is(err, eventlog.ErrRefused):
	case a.Creds != "":
		err = fmt.Errorf("%w (--nats-creds=%s)", err, a.Creds)
	case a.NKey != "":
		err = fmt.Errorf("%w (--nats-nkey=%s)", err, a.NKey)
	}
	return fmt.Errorf("--nats-url=%s: %w", withoutPassword(natsURL), err)
}
