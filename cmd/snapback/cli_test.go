package main

import (
	"cmp"
	"io"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/gateway"
)

// snapback runs a command to its end and gives its output.
func snapback(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	var stdout strings.Builder
	err = run(t.Context(), args, &stdout, io.Discard)
	return stdout.String(), err
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"help"}, {"--help"}} {
		out, err := snapback(t, args...)
		if err != nil {
			t.Errorf("%v: %v", args, err)
		}
		for _, word := range []string{"serve", "import trello", "token", "keygen", "version"} {
			if !strings.Contains(out, word) {
				t.Errorf("%v does not say %q:\n%s", args, word, out)
			}
		}
	}
	for _, args := range [][]string{{"help", "serve"}, {"serve", "--help"}} {
		out, err := snapback(t, args...)
		if err != nil || !strings.Contains(out, "--nats-url") || !strings.Contains(out, "SNAPBACK_NATS_URL") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	out, err := snapback(t, "version")
	if err != nil || !strings.HasPrefix(out, "snapback ") || !strings.Contains(out, "go1.") || strings.Count(out, "\n") != 1 {
		t.Errorf("%q %v", out, err)
	}
	line := versionLine(&debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}, {Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
	}})
	if want := "snapback v1.2.3 (go1.26.8, linux/arm64, commit 0123456789ab, with local changes, 2026-01-02T03:04:05Z)"; line != want {
		t.Errorf("%q, want %q", line, want)
	}
}

// TestUsage_OneLineNamesFlagAndValue, and the exit code is 2.
func TestUsage_OneLineNamesFlagAndValue(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"bogus": {"bogus"}, "--bogus": {"--bogus"}, `--shards: expected a valid 64 bit int but got "x"`: {"--shards=x"},
		"--nats-url: it is like nats://host:4222, several with commas between": {"serve", "--nats-url=nats://me:secret@a:bad"},
		"--shards=0: it is 1 to 1024":                                          {"serve", "--shards=0"},
		"--shards=1025: ":                                                      {"serve", "--shards=1025"},
		"--replicas=2: it is 1 or 3":                                           {"--replicas=2"},
		"--replicas=3: the embedded server is alone":                           {"--replicas=3"},
		"--sync=never: it is always or interval":                               {"--sync=never"},
		"--log-level=loud: ":                                                   {"--log-level=loud"},
		`--max-file: "1 parsec" is no size`:                                    {"--max-file=1 parsec"},
		"--addr=0.0.0.0:0 can be reached by others":                            {"--addr=0.0.0.0:0"},
		"--addr=:0 can be reached by others":                                   {"--addr=:0"},
		"--addr=192.0.2.1:0 can be reached by others":                          {"--addr=192.0.2.1:0"},
		"--addr=8080: it is HOST:PORT":                                         {"--addr=8080"},
		"--auth-key=/nowhere: no such file":                                    {"--auth-key=/nowhere"},
		"--origin=example.com: ":                                               {"--origin=example.com"},
		"--nats-addr and --nats-reader: one needs the other":                   {"--nats-addr=localhost:0"},
		"--nats-reader: it is USER:PASSWORD":                                   {"--nats-addr=localhost:0", "--nats-reader=secret"},
		"--nats-addr: beside --nats-url":                                       {"--nats-addr=localhost:0", "--nats-reader=a:b", "--nats-url=nats://localhost:1"},
		"--nats-addr=4222: it is HOST:PORT":                                    {"--nats-addr=4222", "--nats-reader=a:b"},
		"missing flags: --key=FILE, --user=NAME":                               {"token"},
		"--key=/nowhere: no such file":                                         {"token", "--key=/nowhere", "--user=ann"},
		"/nowhere: no such file":                                               {"import", "trello", "/nowhere"},
		"--members=/nowhere: no such file":                                     {"import", "trello", sample, "--members=/nowhere"},
		"--server=localhost: it is an address like http://localhost:8080":      {"import", "trello", sample, "--server=localhost"},
		"expected \"<file>\"":                                                  {"import", "trello"},
	} {
		_, err := snapback(t, args...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || exitCode(err) != 2 {
			t.Errorf("%v: %v (exit code %d), want %s", args, err, exitCode(err), want)
		}
	}
}

const sample = "trello/testdata/trello-simple-project-2022.json"

// TestFlags_AreEnvironmentVariables by one rule: SNAPBACK_ and the flag's name,
// but for what would be taken for a flag of another command.
func TestFlags_AreEnvironmentVariables(t *testing.T) {
	other := map[string]string{
		"SNAPBACK_OPEN_DATA": "SNAPBACK_DATA", "SNAPBACK_OPEN_NATS_URL": "SNAPBACK_NATS_URL", // of serve
		"SNAPBACK_VERIFY_KEY": "SNAPBACK_KEY", // of token
	}
	for _, command := range []any{
		serveCmd{}, importTrelloCmd{}, importBundleCmd{}, exportCmd{}, rebuildCmd{}, remote{}, direct{}, admin{},
		auditLogCmd{}, auditVerdictCmd{}, auditShowCmd{}, auditDiffCmd{}, auditBlameCmd{}, auditVerifyCmd{},
	} {
		kind := reflect.TypeOf(command)
		for i := range kind.NumField() {
			f := kind.Field(i)
			if _, positional := f.Tag.Lookup("arg"); positional || f.Anonymous {
				continue
			}
			name := f.Tag.Get("name")
			if name == "" {
				name = dashed(f.Name)
			}
			if want := "SNAPBACK_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")); cmp.Or(other[f.Tag.Get("env")], f.Tag.Get("env")) != want {
				t.Errorf("--%s is %s, want %s", name, f.Tag.Get("env"), want)
			}
		}
	}
	t.Setenv("SNAPBACK_SHARDS", "0")
	if _, err := snapback(t); err == nil || !strings.Contains(err.Error(), "--shards=0") {
		t.Errorf("SNAPBACK_SHARDS=0: %v", err)
	}
	if _, err := snapback(t, "--shards=2000"); err == nil || !strings.Contains(err.Error(), "--shards=2000") {
		t.Errorf("the command line does not win: %v", err)
	}
}

func dashed(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' && name[i-1] >= 'a' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func TestByteSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]byteSize{"0": 0, "4096": 4096, "512KiB": 512 << 10, "100 MiB": 100 << 20, "2GB": 2e9} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %d %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "1.5MiB", "9999999999GiB", "MiB"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

// TestToken_FromKeygenIsAccepted with both kinds of keys.
func TestToken_FromKeygenIsAccepted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for file, args := range map[string][]string{dir + "/secret": {dir + "/secret"}, dir + "/pair.pub": {dir + "/pair", "--ed25519"}} {
		if _, err := snapback(t, append([]string{"keygen"}, args...)...); err != nil {
			t.Fatal(err)
		}
		if _, err := snapback(t, append([]string{"keygen"}, args...)...); err == nil || !strings.Contains(err.Error(), "not overwritten") {
			t.Errorf("a key was overwritten: %v", err)
		}
		key, err := gateway.ReadKey(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gateway.NewAuth(key); err != nil {
			t.Fatal(err)
		}
		out, err := snapback(t, "token", "--key="+args[0], "--user=ann", "--name=Ann", "--board", "design-*=editor", "--board=demo=admin", "--ttl=1h")
		if err != nil || strings.Count(strings.TrimSpace(out), ".") != 2 {
			t.Errorf("%q %v", out, err)
		}
		s := serve(t, "--data="+t.TempDir(), "--auth-key="+file)
		token := strings.TrimSpace(out)
		if status := s.call("GET", "/v1/boards/demo", token, "", nil); status != 200 {
			t.Errorf("with the token: %d", status)
		}
		if status := s.call("GET", "/v1/boards/demo", "", "", nil); status != 401 {
			t.Errorf("without: %d", status)
		}
	}
	for want, args := range map[string][]string{
		"can only check": {"--key=" + dir + "/pair.pub"}, "--ttl=-1m0s": {"--key=" + dir + "/secret", "--ttl=-1m"}, "--board=x=owner": {"--key=" + dir + "/secret", "--board=x=owner"},
	} {
		_, err := snapback(t, append([]string{"token", "--user=ann"}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != 2 {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}

// TestServe_OpenToOthersNeedsTheFlag: with it the server starts.
func TestServe_OpenToOthersNeedsTheFlag(t *testing.T) {
	t.Parallel()
	s := serve(t, "--data="+t.TempDir(), "--demo=false", "--addr=0.0.0.0:0", "--insecure-open")
	if !strings.Contains(s.log.String(), "mode=open") {
		t.Errorf("log: %s", s.log)
	}
}
