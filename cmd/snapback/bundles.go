package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/notary"
)

// bundles is where the bundles of boards come from: a server, a log that is
// opened, or a directory.
type bundles interface {
	// boards are all that there are, or that may be seen.
	boards(ctx context.Context) ([]string, error)
	// open opens a board's stream, with the proofs for checkpoints of these sizes.
	open(ctx context.Context, board string, contents bool, sizes ...int64) (*bundle.Reader, io.Closer, error)
	// keys are the public keys that it says it signs with; none: it does not sign.
	keys(ctx context.Context) ([]string, error)
	// tiles reads a shard's tree; nil: there is nothing but the bundle.
	tiles(ctx context.Context, shard int) tlog.TileReader
}

// served are the bundles of a server.
type served struct{ *remote }

func (s served) boards(ctx context.Context) (ids []string, err error) {
	for after := ""; ; {
		query := url.Values{}
		if after != "" {
			query.Set("after", after)
		}
		var page struct {
			Boards []struct{ Board string }
			Next   string
		}
		if err := s.getJSON(ctx, &page, query, "boards"); err != nil {
			return nil, err
		}
		for _, b := range page.Boards {
			ids = append(ids, b.Board)
		}
		if after = page.Next; after == "" {
			return ids, nil
		}
	}
}

func (s served) open(ctx context.Context, board string, contents bool, sizes ...int64) (*bundle.Reader, io.Closer, error) {
	flag := "0"
	if contents {
		flag = "1"
	}
	query := url.Values{"contents": {flag}}
	for _, size := range sizes {
		query.Add("size", strconv.FormatInt(size, 10))
	}
	body, err := s.get(ctx, query, "boards", board, "bundle")
	if err != nil {
		return nil, nil, err
	}
	r, err := bundle.NewReader(body)
	if err == nil && r.Header().Board != board {
		err = fmt.Errorf("%s answers with board %s", s.Server, r.Header().Board)
	}
	if err != nil {
		body.Close()
		return nil, nil, err
	}
	return r, body, nil
}

func (s served) keys(ctx context.Context) ([]string, error) {
	var list struct{ Key string }
	err := s.getJSON(ctx, &list, nil, "checkpoints")
	var refused *refusal
	if errors.As(err, &refused) && refused.status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil || list.Key == "" {
		return nil, err
	}
	return []string{list.Key}, nil
}

func (s served) tiles(ctx context.Context, shard int) tlog.TileReader {
	return tileReader(func(t tlog.Tile) ([]byte, error) {
		path := strings.Split(strings.TrimPrefix(t.Path(), "tile/"+strconv.Itoa(proof.TileHeight)+"/"), "/")
		body, err := s.get(ctx, nil, append([]string{"checkpoints", strconv.Itoa(shard), "tile"}, path...)...)
		if err != nil {
			return nil, err
		}
		defer body.Close()
		return io.ReadAll(io.LimitReader(body, tlog.HashSize<<proof.TileHeight))
	})
}

// tileReader reads one tile at a time.
type tileReader func(tlog.Tile) ([]byte, error)

func (tileReader) Height() int                     { return proof.TileHeight }
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r tileReader) ReadTiles(list []tlog.Tile) (all [][]byte, err error) {
	for _, t := range list {
		data, err := r(t)
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %s has %d bytes", t.Path(), len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

// opened are the bundles of a log that this process opens.
type opened struct {
	log    *eventlog.Log
	notary *notary.Notary
	warn   func(what string, err error)
}

// openBundles opens the log that the flags name. With sign heads and checkpoints
// are signed if the key is there.
func openBundles(ctx context.Context, d *direct, s streams, sign bool) (o *opened, end func(), err error) {
	log, end, err := d.open(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	logger := warnings(s)
	cfg := notary.Config{Log: log, Logger: logger}
	if file := filepath.Join(d.Data, checkpointKey); sign && d.Data != "" {
		if _, none := os.Stat(file); !errors.Is(none, fs.ErrNotExist) {
			cfg.Signer, err = readSigner(file)
		}
	}
	o = &opened{log: log, warn: func(what string, err error) { logger.Warn(what, "error", err) }}
	if err == nil {
		o.notary, err = notary.New(cfg)
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return o, end, nil
}

func (o *opened) boards(ctx context.Context) (ids []string, err error) {
	list, err := o.log.Boards(ctx)
	for _, b := range list {
		ids = append(ids, b.Board)
	}
	return ids, err
}

func (o *opened) open(ctx context.Context, board string, contents bool, sizes ...int64) (*bundle.Reader, io.Closer, error) {
	ctx, cancel := context.WithCancel(ctx)
	in, out := io.Pipe()
	made := make(chan struct{})
	go func() {
		defer close(made)
		err := bundle.Make(ctx, out, o.log, board, bundle.Options{Notary: o.notary, Contents: contents, Sizes: sizes, Warn: o.warn})
		out.CloseWithError(err)
	}()
	end := closing(func() error {
		cancel()
		in.Close()
		<-made
		return nil
	})
	r, err := bundle.NewReader(in)
	if err != nil {
		end.Close()
		return nil, nil, err
	}
	return r, end, nil
}

func (o *opened) keys(context.Context) ([]string, error) {
	if key := o.notary.Public(); key != "" {
		return []string{key}, nil
	}
	return nil, nil
}

func (o *opened) tiles(ctx context.Context, shard int) tlog.TileReader {
	return tileReader(func(t tlog.Tile) ([]byte, error) { return o.notary.Tile(ctx, shard, t) })
}

// closing is an io.Closer.
type closing func() error

func (c closing) Close() error { return c() }

// stored are the bundles of a directory.
type stored struct{ *bundle.Dir }

func (s stored) boards(context.Context) (ids []string, err error) {
	for _, b := range s.Manifest.Boards {
		ids = append(ids, b.Board)
	}
	return ids, nil
}

// file is the board's in the manifest.
func (s stored) file(board string) (bundle.BoardFile, error) {
	for _, b := range s.Manifest.Boards {
		if b.Board == board {
			return b, nil
		}
	}
	return bundle.BoardFile{}, fmt.Errorf("the bundle has no board %s", board)
}

func (s stored) open(_ context.Context, board string, _ bool, _ ...int64) (*bundle.Reader, io.Closer, error) {
	b, err := s.file(board)
	if err != nil {
		return nil, nil, err
	}
	return s.Board(b)
}

func (s stored) keys(context.Context) (texts []string, err error) {
	for _, f := range s.Manifest.Keys {
		text, err := s.ReadKey(f)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func (stored) tiles(context.Context, int) tlog.TileReader { return nil }

// readKeys reads public keys, each given as it is or by the file that has it.
func readKeys(list []string) (keys []note.Verifier, err error) {
	for _, given := range list {
		text := given
		if _, err := proof.ParseVerifier(text); err != nil {
			data, err := os.ReadFile(given)
			if err != nil {
				return nil, usageError{fmt.Errorf("--key=%s: neither a public key for notes (NAME+HASH+KEY) nor a file: %w", given, fileFault(err))}
			}
			text = string(data)
		}
		key, err := proof.ParseVerifier(text)
		if err != nil {
			return nil, usageError{fmt.Errorf("--key=%s: %w", given, err)}
		}
		if !slices.ContainsFunc(keys, func(k note.Verifier) bool { return k.Name() == key.Name() && k.KeyHash() == key.KeyHash() }) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
