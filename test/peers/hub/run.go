// Package hub is the least a board server can be: rooms in memory on
// gorilla/websocket. It checks nothing, refuses nothing, resumes nothing and
// knows no user. What it costs to do that much and no more is what every other
// server's figures are to be held against.
//
//	client: {"type":"mutate","id":"1","entity":{"id":"card-1",...}}
//	server: {"type":"sync","rev":7,"entity":{...}}   to everybody on the board
//	        {"type":"ack","id":"1","rev":7}          to who sent it, after the sync
//
// A client connects to /BOARD. It is sent a sync for each card, under the rev
// of its last change, then {"type":"ready","rev":n}.
package hub

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// Run serves at a port of its own, which it prints, until it fails.
func Run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("hub", flag.ContinueOnError)
	coalesce := flags.Bool("coalesce", true, "write what has queued up for a connection in one system call; false: one call per frame")
	walFile := flags.String("wal", "", "write changes to this `file`, fsynced before they are heard or acked, many per fsync under load")
	if err := flags.Parse(args); err != nil {
		return err
	}
	h := newHub(*coalesce)
	if *walFile != "" {
		w, err := openWAL(*walFile, h.apply)
		if err != nil {
			return err
		}
		h.wal = w
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, listener.Addr())
	upgrader := websocket.Upgrader{ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // answered already
		}
		h.serve(ws, r.URL.Path)
	}))
}
