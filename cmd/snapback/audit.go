package main

// auditCmd groups the questions to a log.
type auditCmd struct {
	Log     auditLogCmd     `cmd:"" help:"List every decision of a board: who asked for what, when, and what became of it."`
	Verdict auditVerdictCmd `cmd:"" help:"Tell what became of one mutation: what was asked, by whom, when, and the verdict."`
	Show    auditShowCmd    `cmd:"" help:"Show a board as it was at a rev or a time."`
	Diff    auditDiffCmd    `cmd:"" help:"Show what differs between a board at two moments."`
	Blame   auditBlameCmd   `cmd:"" help:"Tell who set what an entity holds: when, at which rev, by which mutation."`
	Verify  auditVerifyCmd  `cmd:"" help:"Check that a log, or a bundle of it, is whole and unaltered, and every decision as the rules make it."`
}
