package webclient

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"

	"github.com/snapback-io/snapback/test/bundle"
	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/tool"
)

// A project that uses the package: two mutations, one of which is refused.
var project = map[string]string{
	"package.json":  `{"name": "app", "private": true, "type": "module"}`,
	"tsconfig.json": `{"compilerOptions": {"strict": true, "noEmit": true, "module": "nodenext", "target": "es2022", "lib": ["es2022", "dom"], "types": []}, "files": ["app.ts"]}`,
	"app.ts": `
		import { connect, type Card, type Verdict } from "@snapback/client";
		import "@snapback/client/devtools";

		export async function app(url: string, user: string): Promise<string> {
			const store = connect({ url, user, board: "demo" });
			await store.ready;
			const title = "by " + user;
			const taken: Verdict = await store.mutate("typo", { title });
			const refused = await store.mutate("keyboard", { columnId: "doing" });
			const shown = store.get<Card>("typo")?.title === title && store.get<Card>("keyboard")?.columnId === "ideas";
			store.close();
			return [taken.ok && taken.events, refused.ok || refused.code, shown].join(" ");
		}`,
	"main.js": `
		import { connect } from "@snapback/client";
		const store = connect({ url: process.argv[2], user: "node", board: "demo" });
		await store.ready;
		const taken = await store.mutate("typo", { title: "by node" });
		const refused = await store.mutate("keyboard", { columnId: "doing" });
		console.log([taken.events, refused.code, store.get("typo").title === "by node" && store.get("keyboard").columnId === "ideas"].join(" "));
		store.close();`,
}

const used = "1 wip_limit true"

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "npm_config_cache="+filepath.Join(t.TempDir(), "cache"), "npm_config_update_notifier=false", "npm_config_loglevel=error")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", filepath.Base(name), args, err, out, &errs)
	}
	return string(out)
}

// install makes the package, and a project that has nothing but it.
func install(t *testing.T, client string) (dir string) {
	t.Helper()
	npm := tool.Find(t, "the npm package", "npm")
	dir = t.TempDir()
	for name, text := range project {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var packed []struct {
		Filename string
		Files    []struct{ Path string }
	}
	out := command(t, client, npm, "pack", "--json", "--ignore-scripts", "--pack-destination", dir)
	if err := json.Unmarshal([]byte(out), &packed); err != nil || len(packed) != 1 {
		t.Fatalf("%v in %s", err, out)
	}
	for _, f := range packed[0].Files {
		if top, _, _ := strings.Cut(f.Path, "/"); top != "dist" && f.Path != "package.json" && f.Path != "README.md" && f.Path != "LICENSE" {
			t.Errorf("the package has %s", f.Path)
		}
	}
	command(t, dir, npm, "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "./"+packed[0].Filename)
	return dir
}

// TestPackage: the npm package, installed into an empty project, is used
// against a server from plain ES modules in Node and, out of a bundler, on a page.
func TestPackage(t *testing.T) {
	t.Parallel()
	client, err := filepath.Abs(client)
	if err != nil {
		t.Fatal(err)
	}
	node := tool.Find(t, "the npm package", "node")
	dir := install(t, client)
	l := newLine(t)
	url := "http://" + l.Addr
	if got := strings.TrimSpace(command(t, dir, node, "--experimental-websocket", "main.js", url)); got != used {
		t.Errorf("in Node: %q", got)
	}
	made := bundle.Build(t, api.BuildOptions{
		AbsWorkingDir: dir, EntryPoints: []string{"app.ts"}, Bundle: true, MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Format: api.FormatIIFE, GlobalName: "bundled",
	})
	p := chrome.Open(t, chrome.Start(t), "bundled")
	p.Do(chromedp.Evaluate[chromedp.Void](string(made[0].Contents)))
	if got := p.Eval(fmt.Sprintf("bundled.app('%s', 'page')", url)); got != used {
		t.Errorf("on a page: %q", got)
	}
	packages(t, "the types of the npm package")
	command(t, dir, node, filepath.Join(client, "node_modules", "typescript", "bin", "tsc"), "-p", ".")
	exports(t, filepath.Join(dir, "node_modules", "@snapback", "client"))
}

// exports holds what package.json promises against what there is.
func exports(t *testing.T, installed string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(installed, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Exports      map[string]map[string]string
		Dependencies map[string]string
	}
	if err := json.Unmarshal(raw, &manifest); err != nil || len(manifest.Exports) == 0 {
		t.Fatalf("%v in %s", err, raw)
	}
	for path, conditions := range manifest.Exports {
		for _, file := range slices.Collect(maps.Values(conditions)) {
			if _, err := os.Stat(filepath.Join(installed, file)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if len(manifest.Dependencies) > 0 {
		t.Errorf("it depends on %v", manifest.Dependencies)
	}
}
