// Package importtest imports Trello boards with the binary and drives them
// with several clients at once.
package importtest
