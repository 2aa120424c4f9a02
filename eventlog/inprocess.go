package eventlog

import "net"

// InProcess is a server in this process (natsd.Server).
type InProcess interface {
	InProcessConn() (net.Conn, error)
}
