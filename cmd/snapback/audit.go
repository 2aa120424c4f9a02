package main

// auditCmd groups the questions to a log.
type auditCmd struct {
	Log auditLogCmd `cmd:"" help:"Every decision of a board: who asked for what, when, and what became of it."`
}
