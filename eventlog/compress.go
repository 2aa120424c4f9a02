package eventlog

import (
	"bytes"
	"compress/gzip"
	"io"
)

// compressed is data gzipped: a board repeats its names and users.
func compressed(data []byte) (io.Reader, error) {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	return &buf, z.Close()
}

func decompress(r io.Reader) ([]byte, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
