// Package domain holds the rules of a board and nothing else.
//
// A [Board] is the aggregate: [Decide] reads one board and answers one
// [Command] with a [Decision] (events or a rejection), [Board.Apply] folds
// stored commits. Everything here is pure: no clock, no randomness, no IO, no
// goroutines. Times and ids come in as arguments, so a decision taken today
// can be taken again from the log and must come out the same.
//
// A Board is not safe for concurrent use. Entities, events and commits are
// immutable once built and may be shared between goroutines.
package domain
