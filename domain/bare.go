package domain

// Bare is the board for who looks at it and goes on folding, but decides
// nothing and tells nobody what changed: without the ids decided lately, which
// on a busy board are most of a snapshot, and without tombstones. The same
// state has the same bytes, however the board was made.
func (s *Still) Bare() *Still {
	bare := *s
	bare.decided, bare.tombs, bare.floor = decidedIDs{since: s.at}, nil, s.rev
	return &bare
}

// Weight is what the board's history costs to fold, about: its records, or its
// events where records hold several. It never falls along the log.
func (s *Still) Weight() uint64 { return max(s.records, s.rev) }

// Weight is that of [Still.Weight].
func (b *Board) Weight() uint64 { return max(b.records, b.rev) }
