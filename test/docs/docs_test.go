// Package docs holds the pages of the project against what they speak of.
package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// pages are the project's own, as paths from the root.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			rel, err := filepath.Rel(root, path)
			found = append(found, rel)
			return err
		}
		return nil
	})
	if err != nil || len(found) < 5 {
		t.Fatalf("%d pages: %v", len(found), err)
	}
	return found
}

var link = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)

// TestLinks: what a page links to in the project is there, and has the test
// that the link is named after.
func TestLinks(t *testing.T) {
	checked := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			name, target := strings.Trim(m[1], "`"), m[2]
			if u, err := url.Parse(target); err != nil || u.Scheme != "" || u.Path == "" {
				continue
			} else {
				target = u.Path
			}
			checked++
			path := filepath.Join(root, filepath.Dir(page), target)
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: [%s] leads nowhere: %s", page, name, target)
				continue
			}
			if !strings.HasPrefix(name, "Test") || filepath.Ext(target) != ".go" {
				continue
			}
			if source, err := os.ReadFile(path); err != nil || !strings.Contains(string(source), "func "+name+"(") {
				t.Errorf("%s: %s has no %s", page, target, name)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d links were looked at", checked)
	}
}

// TestFirstScreen: what is needed to begin stands on one screen.
func TestFirstScreen(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, more := strings.Cut(string(text), "\n## ")
	if lines := strings.Count(first, "\n") + 1; !more || lines > 45 {
		t.Errorf("the first screen has %d lines", lines)
	}
	for _, needed := range []string{"*refused*", "![", "go run ./cmd/snapback", "two windows", "```ts", "What happens when", "Apache-2.0"} {
		if !strings.Contains(first, needed) {
			t.Errorf("the first screen has no %q", needed)
		}
	}
}
