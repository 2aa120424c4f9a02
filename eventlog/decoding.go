package eventlog

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

const (
	pieceBytes = 16 << 10 // of records decoded in one go, about 0.1 ms of work
	// piecesAtOnce is from how many on a batch is worth the help of other cores, 1
	// MiB: whoever reads a whole log has such batches, who opens a board does not
	// and leaves the other cores to others.
	piecesAtOnce = 64
	piecesAhead  = 48 // that wait for the reader
	mostHelpers  = 3
)

// decodeBatch gives the records of a batch in order, up to the first that cannot
// be decoded. Of a large batch other cores decode what comes next while the
// reader works on what it has; nobody is left at work when it returns.
func decodeBatch(board string, batch []*nats.Msg) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		helpers := min(runtime.NumCPU()-1, runtime.GOMAXPROCS(0)-1, mostHelpers)
		if bytesOf(batch) < piecesAtOnce*pieceBytes || helpers < 1 {
			for _, msg := range batch {
				if r, err := directRecord(board, msg); !yield(r, err) || err != nil {
					return
				}
			}
			return
		}
		d := &decoding{board: board, pieces: pieces(batch), ahead: make(chan struct{}, piecesAhead), enough: make(chan struct{})}
		var working sync.WaitGroup
		for range helpers {
			working.Go(d.help)
		}
		defer working.Wait()
		defer close(d.enough)
		d.give(yield)
	}
}

func bytesOf(batch []*nats.Msg) (n int) {
	for _, msg := range batch {
		n += len(msg.Data)
	}
	return n
}

// decoding is one of a batch, by its reader and helpers.
type decoding struct {
	board  string
	pieces []piece
	next   atomic.Int64  // the first piece that nobody works on
	ahead  chan struct{} // one for each piece of a helper's that is not given yet
	enough chan struct{} // closed when the reader has
}

// piece is some messages of a batch, one behind the other.
type piece struct {
	msgs    []*nats.Msg
	own     bool // decoded by the reader
	records []Record
	err     error         // of the message behind the last of records
	done    chan struct{} // closed when records and err are there
}

func pieces(batch []*nats.Msg) (list []piece) {
	from, size := 0, 0
	for i, msg := range batch {
		if size += len(msg.Data); size >= pieceBytes || i == len(batch)-1 {
			list = append(list, piece{msgs: batch[from : i+1], done: make(chan struct{})})
			from, size = i+1, 0
		}
	}
	return list
}

// help decodes pieces until there is none left.
func (d *decoding) help() {
	for {
		select {
		case d.ahead <- struct{}{}:
		case <-d.enough:
			return
		}
		i := int(d.next.Add(1)) - 1
		if i >= len(d.pieces) {
			return
		}
		d.pieces[i].decode(d.board)
	}
}

func (p *piece) decode(board string) {
	defer close(p.done)
	p.records = make([]Record, 0, len(p.msgs))
	for _, msg := range p.msgs {
		r, err := directRecord(board, msg)
		if err != nil {
			p.err = err
			return
		}
		p.records = append(p.records, r)
	}
}

// give yields the records.
func (d *decoding) give(yield func(Record, error) bool) {
	for i := range d.pieces {
		p := &d.pieces[i]
		d.await(i)
		for _, r := range p.records {
			if !yield(r, nil) {
				return
			}
		}
		if p.err != nil {
			yield(Record{}, p.err)
			return
		}
		if p.records = nil; !p.own {
			<-d.ahead
		}
	}
}

// await has piece i decoded. Meanwhile the reader decodes what comes next.
func (d *decoding) await(i int) {
	for {
		select {
		case <-d.pieces[i].done:
			return
		default:
		}
		next := d.next.Load()
		if int(next) >= min(i+piecesAhead, len(d.pieces)) {
			<-d.pieces[i].done
			return
		}
		if d.next.CompareAndSwap(next, next+1) {
			d.pieces[next].own = true
			d.pieces[next].decode(d.board)
		}
	}
}
