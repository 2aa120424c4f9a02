// Command snapback is the board server and its tools in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on the next one has its usual effect: it ends the process at once.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "snapback: "+err.Error())
	}
	os.Exit(exitCode(err))
}

// usageError is a fault in the command line or the environment.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitCode is 0 for none, 2 for a fault in what was typed, 3 for what could not
// be checked, else 1.
func exitCode(err error) int {
	var usage usageError
	var unchecked uncheckedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return 2
	case errors.As(err, &unchecked):
		return 3
	}
	return 1
}

// streams is where a command writes: Out what it was asked for, Err the rest.
type streams struct{ Out, Err io.Writer }

// run does what args ask for, until it is done or ctx ends, which is the
// person's Ctrl-C. It returns nil after a clean stop.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command, err := parse(args, stdout, stderr)
	if err != nil || command == nil {
		return err
	}
	if err := command(ctx, streams{forPerson(stdout), stderr}); err != nil {
		return oneLine{err}
	}
	return nil
}

// oneLine is an error whose text has no line breaks, which joined errors have,
// and nothing that a terminal obeys.
type oneLine struct{ error }

func (e oneLine) Error() string { return shown(strings.ReplaceAll(e.error.Error(), "\n", "; ")) }
func (e oneLine) Unwrap() error { return e.error }
