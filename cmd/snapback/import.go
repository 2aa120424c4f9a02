package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/snapback-io/snapback/cmd/snapback/trello"
)

// importCmd groups the sources.
type importCmd struct {
	Trello importTrelloCmd `cmd:"" help:"Import a Trello board's JSON export."`
	Bundle importBundleCmd `cmd:"" help:"Restore boards that 'snapback export' wrote with their history."`
}

// importTrelloCmd is the flags of `snapback import trello`.
type importTrelloCmd struct {
	File    string `arg:"" help:"The export (Trello: Print, export and share, Export as JSON); - for standard input."`
	Server  string `default:"http://localhost:8080" env:"SNAPBACK_SERVER" placeholder:"URL" help:"The server to import into (${default})."`
	Board   string `env:"SNAPBACK_BOARD" placeholder:"ID" help:"The id of the new board (trello- and the id at Trello)."`
	Members string `env:"SNAPBACK_MEMBERS" placeholder:"FILE" help:"Which user each Trello username stands for: CSV lines 'username,user', or a JSON object. Who is not in it keeps the Trello username."`
	Token   string `env:"SNAPBACK_TOKEN" placeholder:"TOKEN" help:"Bearer token of who imports; better in the environment."`
	User    string `env:"SNAPBACK_USER" placeholder:"NAME" help:"Who imports, on a server in open mode."`
	DryRun  bool   `env:"SNAPBACK_DRY_RUN" help:"Read, check and report; send nothing."`
}

// Help is shown by --help.
func (*importTrelloCmd) Help() string {
	return `The board appears when all of it is there, and not before. An import that was cut off is continued by the same
command; one that is done is recognised and changes nothing. What cannot be carried over is listed at the end.`
}

func (c *importTrelloCmd) run(ctx context.Context, s streams) error {
	board, err := c.read()
	if err != nil {
		return err
	}
	parts, err := board.Parts(trello.PartBytes)
	if err != nil {
		return err
	}
	if _, err := trello.Rehearse(board.ID, parts); err != nil {
		return fmt.Errorf("%s: %w; nothing was written", c.File, err)
	}
	if c.DryRun {
		fmt.Fprintf(s.Out, "%q can be imported as board %s; nothing was sent.\n", board.Title, board.ID)
		board.Report.Write(s.Out)
		return nil
	}
	target, err := newImportClient(c.Server, board.ID, c.Token, c.User)
	if err != nil {
		return err
	}
	fresh, err := target.sendAll(ctx, parts, newProgress(s.Err, len(parts)))
	if err != nil {
		return err
	}
	if !fresh {
		_, err := fmt.Fprintf(s.Out, "%q is already imported: board %s at %s. Nothing was changed.\n", board.Title, board.ID, c.Server)
		return err
	}
	fmt.Fprintf(s.Out, "%q is imported: board %s at %s\n", board.Title, board.ID, c.Server)
	board.Report.Write(s.Out)
	return nil
}

// read reads and maps the export.
func (c *importTrelloCmd) read() (*trello.Board, error) {
	options := trello.Options{BoardID: c.Board}
	if c.Members != "" {
		f, err := os.Open(c.Members)
		if err != nil {
			return nil, usageError{fmt.Errorf("--members=%s: %w", c.Members, fileFault(err))}
		}
		defer f.Close()
		if options.Users, err = trello.ReadUsers(f); err != nil {
			return nil, usageError{fmt.Errorf("--members=%s: %w", c.Members, err)}
		}
	}
	in := io.ReadCloser(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", c.File, fileFault(err))}
		}
		in = f
	}
	defer in.Close()
	export, err := trello.Read(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	board, err := trello.Map(export, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; nothing was written", c.File, err)
	}
	return board, nil
}
