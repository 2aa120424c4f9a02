// Package trello reads the JSON export of a Trello board and maps it to the
// entities of a Snapback board, and writes such an export of any board.
//
// [Read] decodes a stream, [Map] is a pure function of what was read: the same
// export and options give the same entities in the same order, so that an
// import that was cut off is continued by a second run. Entities keep the ids
// they have at Trello. What is cut, renamed or cannot be carried over is in
// the [Report], by name and count; nothing is left out silently.
//
// [Write] is the other way. What Map would not make again of Trello's own form
// alone stands beside it, and Map takes it back: the same board comes out.
package trello
