package natsd

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// logger passes the server's words on. What it calls fatal is an error here:
// the process is not the server's to end.
type logger struct {
	log    *slog.Logger
	failed func(error) // called when a write to the disk has failed
}

func (l logger) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l logger) Warnf(format string, v ...any)   { l.log.Warn(fmt.Sprintf(format, v...)) }
func (l logger) Fatalf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }
func (l logger) Debugf(format string, v ...any)  { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l logger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	if strings.Contains(text, writeError) {
		l.failed(errors.New(text))
	}
	l.log.Error(text)
}

// writeError is in what nats-server 2.15 says, holding the stream's lock, when a
// write or an fsync has failed. It gives no other sign to the process it is in.
const writeError = "ritical write error"

func (l logger) Tracef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
