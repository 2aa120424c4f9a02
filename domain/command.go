package domain

import (
	"encoding/json"
	"time"
)

// Role is what a user may do on a board; a later one includes the earlier.
type Role string

// The roles, from least to most. NoRole sees nothing.
const (
	NoRole    Role = ""
	Viewer    Role = "viewer"
	Commenter Role = "commenter"
	Editor    Role = "editor"
	Admin     Role = "admin"
)

func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Commenter:
		return 2
	case Editor:
		return 3
	case Admin:
		return 4
	}
	return 0
}

// Valid says whether r is one of the four roles a member may have.
func (r Role) Valid() bool { return r.rank() > 0 }

// Includes says whether r may do what needs role n.
func (r Role) Includes(n Role) bool { return r.rank() >= n.rank() }

// Grant is what somebody may do on a board apart from a member entity: "", a
// role from a token's boards claim, or GrantOpen. It is stamped by the gateway
// and stored with the decision, so that a record can be decided again.
type Grant string

// GrantOpen is open mode: an editor unless a member entity says otherwise, an
// admin of a board that has no members.
const GrantOpen Grant = "open"

// Op is what a Command asks for.
type Op string

// The operations (append-only list).
const (
	OpMutate Op = "mutate" // apply Changes, all or nothing
	OpCancel Op = "cancel" // withdraw the mutation ID if it is undecided
	OpImport Op = "import" // take over Import, one part of a board made elsewhere
)

// Change is one entity's part of a mutation: the shape is that of a mutate
// frame and of an element of its `changes`.
type Change struct {
	EntityID string `json:"entityId"`
	Patch    Patch  `json:"patch"` // nil: delete
	// If names fields and the value each must have now, nil for absent; the
	// mutation's own earlier changes do not count, the user's earlier mutations do.
	If    Fields  `json:"if,omitempty"`
	IfRev *uint64 `json:"ifRev,omitempty"` // 0: must not exist

	// Toggle flips `liked` for the user; the recipe's like button. Only the
	// gateway sets it, never a client's frame.
	Toggle bool `json:"toggle,omitempty"`
	// Content is what an upload stored; only the gateway sets it.
	Content *Content `json:"content,omitempty"`
}

// Content names the bytes of a file in the object store. A file entity holds
// its parts as the fields size, contentType, sha256 and object; `object` is
// kept from clients.
type Content struct {
	Object      string `json:"object,omitempty"` // upload id, the object's name in the store; "" in what is told of it
	Size        int64  `json:"size"`             // bytes
	ContentType string `json:"contentType"`
	SHA256      string `json:"sha256"` // lower-case hex
}

// Import is one part of a board that was made elsewhere. Parts are sent in
// order from 0; the one with Done is the last, and only then is the board seen
// by anybody. Every part of one import has the same Source.
type Import struct {
	Source string `json:"source"` // what is imported and its id there: "trello:5fcbec03c670ab79e1f625b2"
	Part   int    `json:"part"`
	Done   bool   `json:"done,omitempty"`
	// Entities as they shall stand, parents before children, with the authors
	// and times of the source. Rev and CreatedRev are ignored.
	Entities []*Entity `json:"entities,omitempty"`
	// Provenance is the source's own history, any JSON; kept in the log with
	// this decision and never read by a rule.
	Provenance json.RawMessage `json:"provenance,omitempty"`
}

// Command is a mutation on its way to a decision: what the client asked for
// and what the gateway stamped on it. The JSON shape is both the message in a
// CMD stream and, inside a [Decision], part of the log.
type Command struct {
	ID      string `json:"id"` // clientMutationId, unique per User
	Board   string `json:"board,omitempty"`
	Op      Op     `json:"op"`
	User    string `json:"user"`
	Name    string `json:"name,omitempty"`    // from the token, for a member entity
	Picture string `json:"picture,omitempty"` // from the token, for a member entity
	Session string `json:"session,omitempty"` // "" over HTTP
	Grant   Grant  `json:"grant,omitempty"`

	ReceivedAt time.Time `json:"receivedAt"` // at the gateway, its clock
	Deadline   time.Time `json:"deadline"`   // takes effect by then or never
	After      string    `json:"after,omitempty"`
	// Also are more mutations of the same connection to wait for: those sent
	// before After where one after them may have been sent, and so decided, on
	// an earlier occasion and then holds nobody up. Not stored.
	Also []string `json:"also,omitempty"`
	// Trace is the W3C traceparent of the gateway's span if the command is traced,
	// "" mostly. It travels beside the command, is no part of what it asks for and
	// is not stored.
	Trace string `json:"-"`

	Changes []Change `json:"changes,omitempty"`
	Import  *Import  `json:"import,omitempty"`
}

// ContentHash is the hex SHA-256 of what the command asks for apart from who,
// when and under which id; where an upload's bytes lie in the store is no part
// of it, so that an upload sent again is the same mutation. Two sendings of one
// id are the same mutation when their hashes are equal. A cancel has none (""),
// nor has a command whose content no record could hold.
func (c *Command) ContentHash() string {
	if c.Op == OpCancel || len(c.Changes) == 0 && c.Import == nil {
		return ""
	}
	return c.contentHash()
}
