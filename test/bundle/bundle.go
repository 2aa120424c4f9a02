// Package bundle makes of TypeScript what Node and browsers run.
package bundle

import (
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// Build runs esbuild and gives what it makes; it writes files only if
// options.Write says so.
func Build(tb testing.TB, options api.BuildOptions) []api.OutputFile {
	tb.Helper()
	result := api.Build(options)
	for _, text := range api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage}) {
		tb.Error(text)
	}
	for _, text := range api.FormatMessages(result.Warnings, api.FormatMessagesOptions{Kind: api.WarningMessage}) {
		tb.Error(text)
	}
	if tb.Failed() {
		tb.FailNow()
	}
	return result.OutputFiles
}

// Script bundles one file with all that it imports for a page: a classic script
// whose exports are the properties of a global.
func Script(tb testing.TB, entry, global string) string {
	tb.Helper()
	return string(Build(tb, api.BuildOptions{
		EntryPoints: []string{entry}, Bundle: true, Format: api.FormatIIFE, GlobalName: global, Target: api.ES2022,
		Define: map[string]string{"process.env.NODE_ENV": `"production"`},
	})[0].Contents)
}
