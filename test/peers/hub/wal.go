package hub

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"sync"
)

// wal is a file of changes. Those that come while one fsync runs share the
// next: a disk does few of them per second, whatever they hold.
type wal struct {
	file  *os.File
	apply func(change)
	wake  chan struct{}

	mu      sync.Mutex
	waiting []change
}

// record is a line of the file.
type record struct {
	Room   string          `json:"room"`
	Entity json.RawMessage `json:"entity"`
}

// openWAL applies what the file holds and continues it. A line that a crash
// cut off was never acked and is overwritten.
func openWAL(name string, apply func(change)) (*wal, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	end, err := replay(file, apply)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	w := &wal{file: file, apply: apply, wake: make(chan struct{}, 1)}
	go func() { log.Fatal(w.run()) }()
	return w, nil
}

// replay applies the whole lines and says where they end.
func replay(file io.Reader, apply func(change)) (end int64, err error) {
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		c, err := parse(line)
		if err != nil {
			return end, err
		}
		apply(c)
		end += int64(len(line))
	}
}

// append has c written; it is applied, and so acked, when it is on disk.
func (w *wal) append(c change) {
	w.mu.Lock()
	w.waiting = append(w.waiting, c)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *wal) run() error {
	var batch []change
	var lines []byte
	for range w.wake {
		w.mu.Lock()
		batch, w.waiting = w.waiting, batch[:0]
		w.mu.Unlock()
		lines = lines[:0]
		for _, c := range batch {
			line, err := json.Marshal(record{Room: c.room, Entity: c.entity})
			if err != nil {
				return err
			}
			lines = append(append(lines, line...), '\n')
		}
		if _, err := w.file.Write(lines); err != nil {
			return err
		}
		if err := w.file.Sync(); err != nil {
			return err
		}
		for _, c := range batch {
			w.apply(c)
		}
	}
	return nil
}
