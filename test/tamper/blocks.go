// Package tamper changes what a stopped NATS server has on disk, as somebody
// would who has its machine, and sees that an auditor finds it.
package tamper

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/minio/highwayhash"
)

// Message is one as a file of a stream (nats-server's file store, neither
// compressed nor encrypted) holds it.
type Message struct {
	Seq     uint64
	Time    time.Time
	Subject string
	Header  []byte // NATS/1.0 and lines, as on the wire
	Data    []byte
	Sum     []byte // its checksum; nil: the right one
}

// The layout of a message in a block:
//
//	length(4) sequence(8) time(8) subject length(2) subject [header length(4) header] data checksum(8)
//
// little endian. The length's highest bit says that there is a header.
const (
	fixedSize  = 22
	sumSize    = 8
	headerBit  = uint32(1) << 31
	unusedBits = uint64(3) << 62 // of a sequence: no message
)

// Stream is the directory of a stream of a server whose store is dir.
func Stream(dir, name string) string {
	return filepath.Join(dir, "jetstream", "$G", "streams", name, "msgs")
}

// Read reads a stream's messages.
func Read(dir, name string) (list []Message, err error) {
	files, err := filepath.Glob(filepath.Join(Stream(dir, name), "*.blk"))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if list, err = parse(list, data); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return list, nil
}

func number(file string) (n int) {
	_, _ = fmt.Sscanf(filepath.Base(file), "%d.blk", &n)
	return n
}

func parse(list []Message, data []byte) ([]Message, error) {
	le := binary.LittleEndian
	for len(data) > 0 {
		if len(data) < fixedSize+sumSize {
			return nil, errors.New("a message is cut off")
		}
		length := le.Uint32(data)
		size := int(length &^ headerBit)
		if size < fixedSize+sumSize || size > len(data) {
			return nil, fmt.Errorf("a message of %d bytes, %d are there", size, len(data))
		}
		m := Message{Seq: le.Uint64(data[4:]), Time: time.Unix(0, int64(le.Uint64(data[12:]))).UTC(), Sum: bytes.Clone(data[size-sumSize : size])}
		rest := data[fixedSize : size-sumSize]
		subject := int(le.Uint16(data[20:]))
		m.Subject, rest = string(rest[:subject]), rest[subject:]
		if length&headerBit != 0 {
			n := int(le.Uint32(rest))
			m.Header, rest = bytes.Clone(rest[4:4+n]), rest[4+n:]
		}
		m.Data = bytes.Clone(rest)
		if m.Seq&unusedBits == 0 && m.Seq > 0 {
			list = append(list, m)
		}
		data = data[size:]
	}
	return list, nil
}

// Write makes list the stream's messages, all in one block. What the server
// would know the old ones by is taken away, unless keepIndex: then list is of
// the same sizes as before.
func Write(dir, name string, list []Message, keepIndex bool) error {
	at := Stream(dir, name)
	files, err := filepath.Glob(filepath.Join(at, "*.blk"))
	if err != nil {
		return err
	}
	if keepIndex && len(files) != 1 {
		return fmt.Errorf("%d blocks, not one", len(files))
	}
	first := 1
	if keepIndex {
		first = number(files[0])
	} else {
		files = append(files, filepath.Join(at, "index.db"))
		for _, file := range files {
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", name, first))
	sum, err := highwayhash.New64(key[:])
	if err != nil {
		return err
	}
	var out []byte
	for _, m := range list {
		from := len(out)
		out = m.append(out)
		check := m.Sum
		if check == nil {
			sum.Reset()
			sum.Write(out[from+4 : from+20])
			sum.Write([]byte(m.Subject))
			sum.Write(m.Header)
			sum.Write(m.Data)
			check = sum.Sum(nil)
		}
		out = append(out, check...)
	}
	return os.WriteFile(filepath.Join(at, fmt.Sprintf("%d.blk", first)), out, 0o600)
}

// append is the message without its checksum.
func (m *Message) append(out []byte) []byte {
	le := binary.LittleEndian
	size := uint32(fixedSize + len(m.Subject) + len(m.Data) + sumSize)
	if len(m.Header) > 0 {
		size += uint32(4+len(m.Header)) | headerBit
	}
	out = le.AppendUint32(out, size)
	out = le.AppendUint64(out, m.Seq)
	out = le.AppendUint64(out, uint64(m.Time.UnixNano()))
	out = le.AppendUint16(out, uint16(len(m.Subject)))
	out = append(out, m.Subject...)
	if len(m.Header) > 0 {
		out = le.AppendUint32(out, uint32(len(m.Header)))
		out = append(out, m.Header...)
	}
	return append(out, m.Data...)
}

// Set changes a line of the header that is there.
func (m *Message) Set(name, value string) {
	lines := strings.Split(string(m.Header), "\r\n")
	for i, line := range lines {
		if strings.HasPrefix(line, name+":") {
			lines[i] = name + ": " + value
		}
	}
	m.Header, m.Sum = []byte(strings.Join(lines, "\r\n")), nil
}
