// Package projector folds the log into the confirmed view of every board that
// is watched on this node. View is pure; Feed is the loop that gives it the
// board's records, each once, in order, without a gap.
package projector
