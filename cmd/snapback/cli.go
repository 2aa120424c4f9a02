package main

import (
	"context"
	"errors"
	"io"

	"github.com/alecthomas/kong"
)

// cli is the command line. Every flag is also an environment variable; the
// command line wins.
type cli struct {
	Serve   serveCmd   `cmd:"" default:"withargs" help:"Serve boards (the default)."`
	Import  importCmd  `cmd:"" help:"Import a board made elsewhere."`
	Export  exportCmd  `cmd:"" help:"Write boards with their history and its proofs, or one as it is now."`
	Audit   auditCmd   `cmd:"" help:"Ask the log who did what, and check that it is whole."`
	Rebuild rebuildCmd `cmd:"" help:"Compare what is made from the log with the log, and make again what differs."`
	Shards  shardsCmd  `cmd:"" help:"Say how many shards the log has, or add some."`
	Move    moveCmd    `cmd:"" help:"Move boards to shards that were added."`
	Bench   benchCmd   `cmd:"" help:"Measure a server: throughput, latency, fan-out, memory."`
	Token   tokenCmd   `cmd:"" help:"Mint a bearer token."`
	Keygen  keygenCmd  `cmd:"" help:"Make a key for tokens or for checkpoints."`
	Version versionCmd `cmd:"" help:"Say which version this is."`
	Help    helpCmd    `cmd:"" help:"Explain a command."`
}

// command is a parsed command, ready to run.
type command func(context.Context, streams) error

// runner is the flags of a command, of all but `help` and `bench`.
type runner interface {
	run(ctx context.Context, s streams) error
}

// helpCmd is `snapback help [command]`, the same as --help.
type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command to explain."`
}

func (*helpCmd) asked(selected *kong.Node) bool { return selected.Name == "help" }

// exited is what the parser's wish to end the process becomes.
type exited int

// parse reads the command line. A nil command means that everything has been
// said already (help). It fails with a usageError of one line.
func parse(args []string, stdout, stderr io.Writer) (run command, err error) {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("snapback"),
		kong.Description("A board server whose clients show a change at once and take back exactly the one that is refused.\n\n"+
			"`snapback` alone serves http://localhost:8080 with a demo board."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return nil, err
	}
	defer func() {
		if fault := recover(); fault != nil {
			if _, ok := fault.(exited); !ok {
				panic(fault)
			}
			run, err = nil, nil
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		var fault *kong.ParseError
		if errors.As(err, &fault) {
			err = errors.Unwrap(fault)
		}
		return nil, usageError{err}
	}
	if c.Help.asked(parsed.Selected()) {
		return parse(append(c.Help.Command, "--help"), stdout, stderr)
	}
	if parent := parsed.Selected().Parent; parent != nil && parent.Name == "bench" {
		return func(ctx context.Context, s streams) error { return c.Bench.run(ctx, s, parsed.Selected().Name) }, nil
	}
	return parsed.Selected().Target.Addr().Interface().(runner).run, nil
}
