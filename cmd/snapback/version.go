package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

type versionCmd struct{}

func (versionCmd) run(_ context.Context, s streams) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	_, err := fmt.Fprintln(s.Out, versionLine(info))
	return err
}

// versionLine names the module's version and the commit it was built from.
func versionLine(info *debug.BuildInfo) string {
	setting := map[string]string{}
	for _, s := range info.Settings {
		setting[s.Key] = s.Value
	}
	parts := []string{info.GoVersion, setting["GOOS"] + "/" + setting["GOARCH"]}
	if commit := setting["vcs.revision"]; commit != "" {
		parts = append(parts, "commit "+commit[:min(12, len(commit))])
		if setting["vcs.modified"] == "true" {
			parts = append(parts, "with local changes")
		}
		if at := setting["vcs.time"]; at != "" {
			parts = append(parts, at)
		}
	}
	return fmt.Sprintf("snapback %s (%s)", cmp.Or(info.Main.Version, "(devel)"), strings.Join(parts, ", "))
}
