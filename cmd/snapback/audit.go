package main

// auditCmd groups the questions to a log.
type auditCmd struct {
	Log     auditLogCmd     `cmd:"" help:"Every decision of a board: who asked for what, when, and what became of it."`
	Verdict auditVerdictCmd `cmd:"" help:"What became of one mutation: what was asked, by whom, when, and the verdict."`
	Show    auditShowCmd    `cmd:"" help:"A board as it was at a rev or a time."`
	Diff    auditDiffCmd    `cmd:"" help:"What differs between a board at two moments."`
	Blame   auditBlameCmd   `cmd:"" help:"Who set what an entity holds: when, at which rev, by which mutation."`
	Verify  auditVerifyCmd  `cmd:"" help:"Whether a log, or a bundle of it, is what it should be: nothing missing, nothing altered, every decision as the rules make it."`
}
