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
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/snapback-io/snapback/domain"
)

// A directory has the streams of one or more boards:
//
//	manifest.json              what there is, with sizes and SHA-256; written last
//	boards/<board>.ndjson.zst  the stream of a board, ':' written '=', without contents
//	contents/<sha256>          the bytes of files
//	keys/<name>.pub            public keys that signed it, as the server told them
const (
	manifestFile = "manifest.json"
	boardsDir    = "boards"
	contentsDir  = "contents"
	keysDir      = "keys"
)

// Manifest is the list of what a directory has.
type Manifest struct {
	Type     string      `json:"type"` // "snapback bundle"
	V        int         `json:"v"`
	At       time.Time   `json:"at"`
	Boards   []BoardFile `json:"boards"`
	Contents []File      `json:"contents,omitempty"`
	Missing  []Missing   `json:"missing,omitempty"`
	Keys     []File      `json:"keys,omitempty"`
}

const manifestType = "snapback bundle"

// File is one of a directory's files.
type File struct {
	Name   string `json:"name"` // from the directory on, with slashes
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// BoardFile is the stream of a board.
type BoardFile struct {
	Board   string `json:"board"`
	Records int    `json:"records"`
	File
}

// Missing is an object that an event names and the directory does not have.
type Missing struct {
	Board  string `json:"board"`
	Object string `json:"object"`
	SHA256 string `json:"sha256"`
	Why    string `json:"why"`
}

// ErrDamaged: a file is not the one that the manifest names.
var ErrDamaged = errors.New("not the file of the manifest")

// Dir is a directory that is there, to be read. Close it.
type Dir struct {
	root     *os.Root
	Manifest Manifest
}

// OpenDir opens a directory with a manifest.
func OpenDir(name string) (*Dir, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	d := &Dir{root: root}
	if err := d.readManifest(); err != nil {
		root.Close()
		return nil, err
	}
	return d, nil
}

func (d *Dir) readManifest() error {
	data, err := d.small(manifestFile, maxManifest)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("bundle: %s is missing: not a bundle, or its export did not finish", manifestFile)
	}
	if err != nil {
		return err
	}
	m := &d.Manifest
	if err := json.Unmarshal(data, m); err != nil {
		return fmt.Errorf("bundle: %s: %w", manifestFile, err)
	}
	if m.Type != manifestType || m.V != Version {
		return fmt.Errorf("bundle: %s: type %q and v %d, this code reads %q and %d", manifestFile, m.Type, m.V, manifestType, Version)
	}
	seen := map[string]bool{}
	for _, b := range m.Boards {
		if seen[b.Board] || !domain.ValidID(b.Board) {
			return fmt.Errorf("bundle: %s: board %q is there twice, or is none", manifestFile, b.Board)
		}
		seen[b.Board] = true
	}
	return nil
}

// How large what is read into memory whole may be, bytes.
const (
	maxManifest = 256 << 20
	maxKey      = 4 << 10
)

// file opens one that can be read to its end: no pipe that nobody writes to.
func (d *Dir) file(name string) (*os.File, error) {
	info, err := d.root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("bundle: %s is no file", name)
	}
	if err != nil {
		return nil, err
	}
	return d.root.Open(name)
}

// small reads a file that has no more than so many bytes.
func (d *Dir) small(name string, limit int64) ([]byte, error) {
	f, err := d.file(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("bundle: %s: larger than %d bytes", name, limit)
	}
	return data, err
}

// Close closes the directory.
func (d *Dir) Close() error { return d.root.Close() }

// ReadKey gives the text of a key of the manifest.
func (d *Dir) ReadKey(f File) (string, error) {
	if f.Size > maxKey {
		return "", fmt.Errorf("bundle: %s: larger than %d bytes", f.Name, maxKey)
	}
	r, err := d.open(f)
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxKey+1)) // with its end, which tells whether it is the right one
	if err == nil && len(text) > maxKey {
		err = fmt.Errorf("bundle: %s: %w", f.Name, ErrDamaged)
	}
	return string(text), err
}

// maxWindow is how much a packed file may want to have in memory, bytes; that of
// a DirWriter wants 8 MiB.
const maxWindow = 32 << 20

// Board opens a board's stream. The stream's end is told as io.EOF only if the
// file is the one of the manifest, else with ErrDamaged.
func (d *Dir) Board(b BoardFile) (*Reader, io.Closer, error) {
	f, err := d.open(b.File)
	if err != nil {
		return nil, nil, err
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	all := closers{f, z}
	r, err := NewReader(&zipped{z, f, b.Name})
	if err == nil && r.Header().Board != b.Board {
		err = fmt.Errorf("bundle: %s is of board %q, not %q", b.Name, r.Header().Board, b.Board)
	}
	if err != nil {
		all.Close()
		return nil, nil, fmt.Errorf("%s: %w", b.Name, err)
	}
	return r, all, nil
}

type closers struct {
	f *checked
	z *zstd.Decoder
}

func (c closers) Close() error {
	c.z.Close()
	return c.f.Close()
}

// zipped reads the packed file to its end, so that its sum is compared.
type zipped struct {
	z    io.Reader
	f    *checked
	name string
}

func (z *zipped) Read(p []byte) (n int, err error) {
	n, err = z.z.Read(p)
	if errors.Is(err, io.EOF) {
		if _, rest := io.Copy(io.Discard, z.f); rest != nil {
			err = rest
		}
	} else if err != nil {
		err = fmt.Errorf("%s: %w", z.name, err)
	}
	return n, err
}

// Content opens the bytes with that SHA-256. os.ErrNotExist if there are none.
func (d *Dir) Content(sum string, size int64) (io.ReadCloser, error) {
	if !isSum(sum) {
		return nil, fmt.Errorf("bundle: %q is no SHA-256", sum)
	}
	return d.open(File{path.Join(contentsDir, sum), size, sum})
}

func (d *Dir) open(f File) (*checked, error) {
	file, err := d.file(f.Name)
	if err != nil {
		return nil, err
	}
	return &checked{file: file, sum: sha256.New(), want: f}, nil
}

// checked reads a file and gives ErrDamaged instead of its end if it is not
// the one wanted.
type checked struct {
	file *os.File
	sum  hash.Hash
	size int64
	want File
}

func (c *checked) Read(p []byte) (n int, err error) {
	n, err = c.file.Read(p)
	c.sum.Write(p[:n])
	c.size += int64(n)
	if errors.Is(err, io.EOF) && (c.size != c.want.Size || hex.EncodeToString(c.sum.Sum(nil)) != c.want.SHA256) {
		err = fmt.Errorf("bundle: %s: %w: %d bytes with another SHA-256 than the %d bytes there", c.want.Name, ErrDamaged, c.size, c.want.Size)
	}
	return n, err
}

func (c *checked) Close() error { return c.file.Close() }

// Whole gives a board's stream with the contents that its events name, as a
// server takes it. What the directory does not have is left out.
func (d *Dir) Whole(b BoardFile, w io.Writer) error {
	r, closer, err := d.Board(b)
	if err != nil {
		return err
	}
	defer closer.Close()
	out, sent := NewWriter(w, r.Header()), map[string]bool{}
	var objects []Object
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := out.Item(item); err != nil {
			return err
		}
		if item.Record == nil {
			continue
		}
		for _, o := range item.Record.Objects() {
			if !sent[o.Name] {
				sent[o.Name] = true
				objects = append(objects, o)
			}
		}
	}
	for _, o := range objects {
		if err := d.send(out, o); err != nil {
			return err
		}
	}
	return out.End()
}

func (d *Dir) send(out *Writer, o Object) error {
	f, err := d.Content(o.SHA256, o.Size)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return out.Content(o.Name, o.SHA256, o.Size, f)
}
