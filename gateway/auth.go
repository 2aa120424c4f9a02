package gateway

// Auth checks bearer tokens (JWT, HS256 or EdDSA).
type Auth struct{}
