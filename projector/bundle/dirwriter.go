package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// DirWriter makes a directory. Not safe for concurrent use.
type DirWriter struct {
	root     *os.Root
	manifest Manifest
	have     map[string]bool // contents, by sum
}

// CreateDir makes the directory, which must not be there or be empty. Until
// Finish it is no bundle.
func CreateDir(name string, at time.Time) (*DirWriter, error) {
	if err := os.MkdirAll(name, 0o755); err != nil {
		return nil, err
	}
	there, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("%s is not empty", name)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{boardsDir, contentsDir, keysDir} {
		if err := root.Mkdir(sub, 0o755); err != nil {
			root.Close()
			return nil, err
		}
	}
	m := Manifest{Type: manifestType, V: Version, At: at.UTC()}
	return &DirWriter{root: root, manifest: m, have: map[string]bool{}}, nil
}

// Close closes the directory, finished or not.
func (d *DirWriter) Close() error { return d.root.Close() }

// Manifest is what there is so far.
func (d *DirWriter) Manifest() *Manifest { return &d.manifest }

// Board stores a board's stream, whole or not at all, and the contents in it.
func (d *DirWriter) Board(r *Reader) (BoardFile, error) {
	b := BoardFile{Board: r.Header().Board}
	b.Name = path.Join(boardsDir, strings.ReplaceAll(b.Board, ":", "=")+".ndjson.zst")
	f, err := d.create(b.Name)
	if err != nil {
		return b, err
	}
	if err := d.copy(r, f); err != nil {
		f.file.Close()
		_ = d.root.Remove(b.Name)
		return b, err
	}
	b.Records = r.Records()
	if b.File, err = f.end(b.Name); err != nil {
		return b, err
	}
	d.manifest.Boards = append(d.manifest.Boards, b)
	return b, nil
}

func (d *DirWriter) copy(r *Reader, f *summed) error {
	z, err := zstd.NewWriter(f, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	out := NewWriter(z, r.Header())
	var c *contentFile
	defer func() { c.drop(d, r.Header().Board) }()
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && item.Content == nil {
			err = out.Item(item)
		} else if err == nil {
			c, err = d.content(c, item.Content, r.Header().Board)
		}
		if err != nil {
			return err
		}
	}
	if err := out.End(); err != nil {
		return err
	}
	return z.Close()
}

// contentFile is an object whose pieces are coming.
type contentFile struct {
	*Content
	name string
	out  *summed // nil: it is not kept, or complete
}

// drop gives up an object of which pieces are missing.
func (c *contentFile) drop(d *DirWriter, board string) {
	if c != nil && c.out != nil {
		c.out.file.Close()
		_ = d.root.Remove(c.name)
		d.miss(board, c.Content, "pieces of it are missing")
	}
}

// content takes a piece in; c is the object before, or the same.
func (d *DirWriter) content(c *contentFile, piece *Content, board string) (*contentFile, error) {
	if c == nil || c.Object != piece.Object {
		c.drop(d, board)
		var err error
		if c, err = d.newContent(piece, board); err != nil {
			return nil, err
		}
	}
	if c.out == nil {
		return c, nil
	}
	if piece.Offset != c.out.size {
		return c, fmt.Errorf("bundle: content %s: a piece for %d after %d bytes", c.Object, piece.Offset, c.out.size)
	}
	if _, err := c.out.Write(piece.Data); err != nil {
		return c, err
	}
	if c.out.size < piece.Size {
		return c, nil
	}
	f, err := c.out.end(c.name)
	c.out = nil
	if err != nil {
		return c, err
	}
	if f.SHA256 != piece.SHA256 {
		d.miss(board, piece, "its bytes have another SHA-256")
		return c, d.root.Remove(c.name)
	}
	f.Name = path.Join(contentsDir, f.SHA256)
	d.have[f.SHA256] = true
	d.manifest.Contents = append(d.manifest.Contents, f)
	return c, d.root.Rename(c.name, f.Name)
}

func (d *DirWriter) newContent(piece *Content, board string) (*contentFile, error) {
	c := &contentFile{Content: piece, name: path.Join(contentsDir, "part")}
	switch {
	case piece.Missing:
		d.miss(board, piece, "the log does not have it")
		return c, nil
	case !isSum(piece.SHA256):
		d.miss(board, piece, "the log names no SHA-256")
		return c, nil
	case d.have[piece.SHA256]:
		return c, nil
	}
	var err error
	c.out, err = d.create(c.name)
	return c, err
}

func (d *DirWriter) miss(board string, piece *Content, why string) {
	d.manifest.Missing = append(d.manifest.Missing, Missing{board, piece.Object, piece.SHA256, why})
}

// Key adds a public key, a line of text.
func (d *DirWriter) Key(name, text string) error {
	file := path.Join(keysDir, name+".pub")
	f, err := d.create(file)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(f, strings.TrimSpace(text)+"\n"); err != nil {
		return err
	}
	stored, err := f.end(file)
	d.manifest.Keys = append(d.manifest.Keys, stored)
	return err
}

// Finish writes the manifest.
func (d *DirWriter) Finish() error {
	data, err := json.MarshalIndent(&d.manifest, "", "  ")
	if err != nil {
		return err
	}
	f, err := d.create(manifestFile + ".part")
	if err != nil {
		return err
	}
	if _, err := f.Write(append(data, '\n')); err != nil {
		return err
	}
	if _, err := f.end(manifestFile); err != nil {
		return err
	}
	return d.root.Rename(manifestFile+".part", manifestFile)
}

// summed is a file that is being written.
type summed struct {
	file *os.File
	sum  hash.Hash
	size int64
}

// create makes a file that must not be there: two boards whose ids differ in
// case only would be one where the file system takes them for the same.
func (d *DirWriter) create(name string) (*summed, error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &summed{file: f, sum: sha256.New()}, nil
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.sum.Write(p[:n])
	s.size += int64(n)
	return n, err
}

// end closes the file when it is on disk.
func (s *summed) end(name string) (File, error) {
	f := File{name, s.size, hex.EncodeToString(s.sum.Sum(nil))}
	if err := s.file.Sync(); err != nil {
		s.file.Close()
		return f, err
	}
	return f, s.file.Close()
}
