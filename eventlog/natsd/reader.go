package natsd

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// Reader is who may read some streams from outside, and do nothing else. With
// one, Config.Listen admits nobody but him; the process itself connects as
// before.
//
// He is in an account of his own, into which the few requests that read are
// imported: what he names as the subject of an answer is a subject there, so
// that no answer is published where the log or a command would take it for its
// own. He cannot create consumers, for the same reason: the server delivers to
// whatever subject a consumer's configuration names.
type Reader struct {
	User, Password string   // one way to prove who he is
	NKey           string   // the other: the public key of a user, "U…"
	Streams        []string // that he may read, by name
}

// ParseReader reads USER:PASSWORD or the public NKey of a user.
func ParseReader(text string) (*Reader, error) {
	if user, password, ok := strings.Cut(text, ":"); ok {
		if user == "" || password == "" {
			return nil, errors.New("natsd: a reader has a name and a password")
		}
		return &Reader{User: user, Password: password}, nil
	}
	if !nkeys.IsValidPublicUserKey(text) {
		return nil, errors.New("natsd: a reader is USER:PASSWORD, or the public NKey of a user")
	}
	return &Reader{NKey: text}, nil
}

// readerAccount is the account that readers are in.
const readerAccount = "READERS"

// requests are the subjects of what may be asked of a stream.
func requests(stream string) []string {
	return []string{
		"$JS.API.STREAM.INFO." + stream,
		"$JS.API.STREAM.MSG.GET." + stream,
		"$JS.API.DIRECT.GET." + stream,
		"$JS.API.DIRECT.GET." + stream + ".>",
	}
}

// doorkeeper admits the process itself and, once it is open, its reader.
type doorkeeper struct {
	reader *Reader                     // nil: nobody else
	open   atomic.Pointer[server.User] // as whom the reader is admitted
}

// admit makes the reader's account and lets him in.
func (d *doorkeeper) admit(ns *server.Server) error {
	account, err := ns.RegisterAccount(readerAccount)
	if err != nil {
		return fmt.Errorf("natsd: %w", err)
	}
	log := ns.GlobalAccount()
	may := &server.Permissions{
		Publish:   &server.SubjectPermission{},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
	}
	for _, stream := range d.reader.Streams {
		for _, subject := range requests(stream) {
			err := log.AddServiceExportWithResponse(subject, server.Streamed, []*server.Account{account})
			if err == nil {
				err = account.AddServiceImport(log, subject, subject)
			}
			if err != nil {
				return fmt.Errorf("natsd: %s: %w", subject, err)
			}
			may.Publish.Allow = append(may.Publish.Allow, subject)
		}
	}
	d.open.Store(&server.User{Username: "reader", Account: account, Permissions: may})
	return nil
}

// Check is server.Authentication.
func (d *doorkeeper) Check(c server.ClientAuthentication) bool {
	if addr := c.RemoteAddress(); addr != nil && addr.Network() == "pipe" {
		return true // this process
	}
	user := d.open.Load()
	if user == nil || c.Kind() != server.CLIENT || !d.knows(c) {
		return false
	}
	c.RegisterUser(user)
	return true
}

// knows says whether c has proved to be the reader.
func (d *doorkeeper) knows(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if d.reader.NKey == "" {
		user := subtle.ConstantTimeCompare([]byte(opts.Username), []byte(d.reader.User))
		return user&subtle.ConstantTimeCompare([]byte(opts.Password), []byte(d.reader.Password)) == 1
	}
	if opts.Nkey != d.reader.NKey {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(opts.Sig)
	if err != nil {
		if signature, err = base64.StdEncoding.DecodeString(opts.Sig); err != nil {
			return false
		}
	}
	key, err := nkeys.FromPublicKey(d.reader.NKey)
	return err == nil && key.Verify(c.GetNonce(), signature) == nil
}
