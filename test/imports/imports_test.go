package imports

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/snapback-io/snapback"

// mayImport says which rooms the non-test files of a room may import; the room
// that matches longest counts. Test files may import any room.
var mayImport = map[string][]string{
	"domain":            {},
	"domain/service":    {"domain", "eventlog"},
	"eventlog":          {"domain"},
	"eventlog/natsd":    {},
	"projector":         {"domain", "eventlog"},
	"gateway":           {"domain", "eventlog", "projector", "gateway/wire", "gateway/web", "gateway/browser"},
	"gateway/wire":      {"domain"},
	"gateway/client":    {"domain", "gateway/wire"},
	"gateway/web":       {},
	"gateway/browser":   {},
	"cmd/snapback/load": {"gateway/wire"},
	"cmd":               {"cmd/snapback/load", "domain", "eventlog", "projector", "gateway", "domain/service"},
	"test":              {"cmd/snapback/load", "domain", "eventlog", "projector", "gateway", "domain/service", "test"},
}

// maxLines of a Go file that is not a test.
const maxLines = 500

type source struct {
	path string // slash separated, from the root
	pkg  string // its directory
	data []byte
	file *ast.File
	fset *token.FileSet
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) imports() []string {
	var list []string
	for _, spec := range s.file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		list = append(list, name)
	}
	return list
}

func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	var list []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && (base == "node_modules" || base == "testdata" || name != root && strings.HasPrefix(base, ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(rel), data: data, fset: token.NewFileSet()}
		s.pkg = path.Dir(s.path)
		if s.file, err = parser.ParseFile(s.fset, name, data, parser.SkipObjectResolution); err != nil {
			return err
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("only %d Go files found", len(list))
	}
	return list
}

// room is the longest key of mayImport that is pkg or above it.
func room(pkg string) string {
	for dir := pkg; dir != "."; dir = path.Dir(dir) {
		if _, ok := mayImport[dir]; ok {
			return dir
		}
	}
	return ""
}

func TestImportsPointOneWay(t *testing.T) {
	checked := 0
	for _, s := range sources(t) {
		from := room(s.pkg)
		if from == "" {
			t.Errorf("%s: package %s is in no room of DESIGN.md", s.path, s.pkg)
			continue
		}
		for _, name := range s.imports() {
			own, ok := strings.CutPrefix(name, module+"/")
			if !ok || s.isTest() {
				continue
			}
			checked++
			to := room(own)
			if to == from {
				continue
			}
			if !slices.ContainsFunc(mayImport[from], func(r string) bool {
				return to == r || strings.HasPrefix(to, r+"/") && (from == "cmd" || from == "test")
			}) {
				t.Errorf("%s: %s must not import %s", s.path, from, own)
			}
		}
	}
	if checked == 0 {
		t.Error("no import between packages was checked")
	}
}

func TestOnlyEventlogImportsNATS(t *testing.T) {
	found := 0
	for _, s := range sources(t) {
		for _, name := range s.imports() {
			if !strings.HasPrefix(name, "github.com/nats-io/") {
				continue
			}
			found++
			if top, _, _ := strings.Cut(s.pkg, "/"); top != "eventlog" && top != "test" {
				t.Errorf("%s imports %s", s.path, name)
			}
		}
	}
	if found == 0 {
		t.Error("no import of NATS found at all")
	}
}

func TestNobodyImportsTest(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(s.pkg, "test/") {
			continue
		}
		for _, name := range s.imports() {
			if strings.HasPrefix(name, module+"/test/") && !s.isTest() {
				t.Errorf("%s imports %s", s.path, name)
			}
		}
	}
}

// The domain, with the JSON it is written in, has no clock, randomness, IO or
// goroutines (DESIGN.md).
func TestDomainIsPure(t *testing.T) {
	impure := []string{"os", "io/fs", "net", "math/rand", "crypto/rand", "sync", "context", "log", "runtime", "unsafe", "syscall"}
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	checked := 0
	pure := []string{"domain", "domain/plainjson"}
	for _, s := range sources(t) {
		if !slices.Contains(pure, s.pkg) || s.isTest() {
			continue
		}
		checked++
		for _, name := range s.imports() {
			if own, ok := strings.CutPrefix(name, module+"/"); ok && slices.Contains(pure, own) {
				continue
			}
			if strings.Contains(name, ".") && !strings.HasPrefix(name, "golang.org/x/text/") {
				t.Errorf("%s imports %s", s.path, name)
			}
			if slices.ContainsFunc(impure, func(p string) bool { return name == p || strings.HasPrefix(name, p+"/") && name != "net/url" }) {
				t.Errorf("%s imports %s", s.path, name)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: go statement", s.fset.Position(x.Pos()))
			case *ast.SelectorExpr:
				if pkg, ok := x.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clock, x.Sel.Name) {
					t.Errorf("%s: time.%s", s.fset.Position(x.Pos()), x.Sel.Name)
				}
			}
			return true
		})
	}
	if checked == 0 {
		t.Error("no file of domain checked")
	}
}

func TestFilesAreFormattedAndShort(t *testing.T) {
	for _, s := range sources(t) {
		formatted, err := format.Source(s.data)
		if err != nil {
			t.Errorf("%s: %v", s.path, err)
			continue
		}
		if !bytes.Equal(formatted, s.data) {
			t.Errorf("%s is not gofmt'ed", s.path)
		}
		if n := bytes.Count(s.data, []byte("\n")); n > maxLines && !s.isTest() {
			t.Errorf("%s has %d lines, more than %d", s.path, n, maxLines)
		}
	}
}
