package wire

import (
	"encoding/json"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Frame types.
const (
	TypeMutate   = "mutate"
	TypeCancel   = "cancel"
	TypePresence = "presence"
	TypeAuth     = "auth"
	TypePing     = "ping"
	TypeLoad     = "load"

	TypeHello  = "hello"
	TypeSync   = "sync"
	TypeReady  = "ready"
	TypeAck    = "ack"
	TypeNack   = "nack"
	TypeLag    = "lag"
	TypeGoaway = "goaway"
	TypeError  = "error"
	TypePong   = "pong"
	TypeLoaded = "loaded"
)

// Mutate asks for a change: either EntityID, Patch, If, IfRev, or Changes.
// As JSON an absent patch and patch null differ; see [Mutate.List].
type Mutate struct {
	Type             string          `json:"type"`
	ClientMutationID string          `json:"clientMutationId"`
	EntityID         string          `json:"entityId,omitempty"`
	Patch            json.RawMessage `json:"patch,omitempty"`
	If               domain.Fields   `json:"if,omitempty"`
	IfRev            *uint64         `json:"ifRev,omitempty"`
	Changes          []domain.Change `json:"changes,omitempty"`
	ExpiresAt        *time.Time      `json:"expiresAt,omitempty"`
	TTLMs            *int64          `json:"ttlMs,omitempty"`
	Traceparent      string          `json:"traceparent,omitempty"` // W3C trace context of the sender's span
}

// Cancel withdraws a mutation.
type Cancel struct {
	Type             string `json:"type"`
	ClientMutationID string `json:"clientMutationId"`
}

// Presence is ephemeral: from a client only Data, to a client who it is of.
type Presence struct {
	Type    string          `json:"type"`
	Session string          `json:"session,omitempty"`
	User    string          `json:"user,omitempty"`
	Name    string          `json:"name,omitempty"`
	Picture string          `json:"picture,omitempty"`
	Data    json.RawMessage `json:"data"` // null to a client: left
}

// Auth carries a token in a frame.
type Auth struct {
	Type  string `json:"type"`
	Token string `json:"token"`
}

// HelloLimits are in bytes, mutations and milliseconds.
type HelloLimits struct {
	FrameBytes   int `json:"frameBytes"`
	InFlight     int `json:"inFlight"`
	AckTimeoutMs int `json:"ackTimeoutMs"`
}

// Hello is the server's first frame.
type Hello struct {
	Type       string      `json:"type"`
	Protocol   int         `json:"protocol"`
	Board      string      `json:"board"`
	User       string      `json:"user"`
	Name       string      `json:"name,omitempty"`
	Picture    string      `json:"picture,omitempty"`
	Role       domain.Role `json:"role"`
	Session    string      `json:"session"`
	Epoch      string      `json:"epoch"`
	Rev        uint64      `json:"rev"`
	Resumed    bool        `json:"resumed"`
	ServerTime time.Time   `json:"serverTime"`
	Limits     HelloLimits `json:"limits"`
	// Lab: the session may set up a rollback lab (serve --lab).
	Lab bool `json:"lab,omitempty"`
}

// Sync is a confirmed entity; By and Event only on live ones.
type Sync struct {
	Type   string          `json:"type"`
	Rev    uint64          `json:"rev"`
	Entity json.RawMessage `json:"entity"` // domain.Entity.JSONFor
	By     string          `json:"by,omitempty"`
	Event  string          `json:"event,omitempty"`
	More   bool            `json:"more,omitempty"`
}

// Mark is ready or lag.
type Mark struct {
	Type string `json:"type"`
	Rev  uint64 `json:"rev"`
}

// Ack is the verdict of what is in the log.
type Ack struct {
	Type             string `json:"type"`
	ClientMutationID string `json:"clientMutationId"`
	Rev              uint64 `json:"rev"`
	Events           int    `json:"events"`
}

// Nack is the verdict of what never will be, unless Retryable.
type Nack struct {
	Type             string         `json:"type"`
	ClientMutationID string         `json:"clientMutationId"`
	Code             domain.Code    `json:"code"`
	Reason           string         `json:"reason"`
	Retryable        bool           `json:"retryable"`
	Details          domain.Details `json:"details,omitempty"`
}

// Goaway announces a planned stop.
type Goaway struct {
	Type             string `json:"type"`
	ReconnectAfterMs int64  `json:"reconnectAfterMs"`
}

// Error answers a frame that made no sense; of a load it carries the id.
type Error struct {
	Type   string      `json:"type"`
	Code   domain.Code `json:"code"`
	Reason string      `json:"reason"`
	ID     *uint64     `json:"id,omitempty"`
}

// Pong answers a ping.
type Pong struct {
	Type       string    `json:"type"`
	ServerTime time.Time `json:"serverTime"`
}
