// Package schema holds the JSON Schema (2020-12) of a record of the log and of
// each type of event, as it is published: whoever reads the log without our
// code checks by it what he reads. README.md says how to read it.
//
// The schema is generated from the Go types and the table of kinds of package
// domain. A published version never changes; what changes the shape of a record
// raises Version, and the new file stands beside the old ones.
package schema

//go:generate go test -run TestSchema_IsThatOfTheTypes . -update

import (
	"embed"
	"fmt"
)

// Version is that of the schema of what is written now.
const Version = 2

// published are the SHA-256 sums of the versions there are.
var published = map[int]string{
	1: "374fd62934321ba924247fa1be78dada49bfda0169e6c8f47f0aa427ad29cace",
	2: "8ee905b10f19a2443504393ae36e38f38910eb8385732d91cbf70285b8235afa",
}

//go:embed commit.v*.json
var files embed.FS

// File is the name of the present version's file.
func File() string { return fmt.Sprintf("commit.v%d.json", Version) }

// ID is the $id of the present version.
func ID() string { return "https://github.com/snapback-io/snapback/eventlog/schema/" + File() }

// Of is where in the present version something is defined: "Commit",
// "Decision", or a type of event, "card.moved".
func Of(name string) string { return ID() + "#/$defs/" + name }

// Read gives a version's file, as it is published, by its name.
func Read(file string) ([]byte, error) { return files.ReadFile(file) }
