package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/snapback-io/snapback/eventlog/proof"
)

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func verifier(t *testing.T, file string) note.Verifier {
	t.Helper()
	v, err := proof.ParseVerifier(string(read(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// filed opens the external checkpoints of a directory, by file name.
func filed(t *testing.T, dir string, key note.Verifier) map[string]proof.Checkpoint {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]proof.Checkpoint{}
	for _, file := range files {
		if out[filepath.Base(file)], err = proof.OpenCheckpoint(read(t, file), key); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// A server makes a key at its first start, signs what there is when it stops at
// the latest, and compares its log with the external checkpoints at the next.
func TestCheckpoints_FromStartToStart(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), t.TempDir()
	args := []string{"--data=" + data, "--checkpoint-dir=" + dir}
	s := serve(t, args...)
	if line := logLine(s.log.String(), `msg="signing checkpoints"`); !strings.Contains(line, strings.TrimSpace(string(read(t, filepath.Join(data, "checkpoint.key.pub"))))) {
		t.Errorf("the key is not told: %s", line)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(data, "checkpoint.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	key := verifier(t, filepath.Join(data, "checkpoint.key.pub"))
	first := filed(t, dir, key)
	if len(first) != 1 {
		t.Fatalf("the demo board is in one shard: %v", first)
	}
	s = serve(t, args...)
	if line := logLine(s.log.String(), "agrees with its external checkpoint"); line == "" {
		t.Errorf("nothing was compared:\n%s", s.log)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	for name, c := range first {
		c.Root[0]++
		text := c.Text()
		signer, err := readSigner(filepath.Join(data, "checkpoint.key"))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), signed, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := snapback(t, append([]string{"serve", "--addr=127.0.0.1:0", "--admin-addr="}, args...)...)
	if !errors.Is(err, proof.ErrContradiction) || !strings.Contains(err.Error(), "not served: "+dir) || !strings.Contains(err.Error(), "snapback audit verify") {
		t.Errorf("a log that contradicts its external checkpoint: %v", err)
	}
	other := filepath.Join(t.TempDir(), "other.key")
	if _, err := snapback(t, "keygen", "--checkpoint", other); err != nil {
		t.Fatal(err)
	}
	_, err = snapback(t, append([]string{"serve", "--addr=127.0.0.1:0", "--admin-addr=", "--checkpoint-key=" + other}, args...)...)
	if !errors.Is(err, proof.ErrStranger) || !strings.Contains(err.Error(), "--checkpoint-key") {
		t.Errorf("another key: %v", err)
	}
}

func TestKeygen_Checkpoint(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "c.key")
	out, err := snapback(t, "keygen", "--checkpoint", "--name=example.com/log", file)
	if err != nil || !strings.Contains(out, "--checkpoint-key") {
		t.Fatalf("%q, %v", out, err)
	}
	signer, err := readSigner(file)
	if err != nil {
		t.Fatal(err)
	}
	if v := verifier(t, file+".pub"); v.Name() != "example.com/log" || v.KeyHash() != signer.Verifier().KeyHash() {
		t.Errorf("%s+%08x", v.Name(), v.KeyHash())
	}
	for _, args := range [][]string{{"--checkpoint", file}, {"--checkpoint", "--name=a b", file + "2"}, {"--checkpoint", "--ed25519", file + "3"}} {
		if _, err := snapback(t, append([]string{"keygen"}, args...)...); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}

func TestCheckpointFlags_SayWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--checkpoint-every=10ms: it is 1s or more":                                     {"--checkpoint-every=10ms"},
		"--checkpoint-key=/nowhere: no such file (`snapback keygen --checkpoint":        {"--checkpoint-key=/nowhere"},
		"not a private key for notes":                                                   {"--checkpoint-key=" + file},
		"--checkpoint-dir=/nowhere: no such file":                                       {"--checkpoint-dir=/nowhere"},
		"it is no directory":                                                            {"--checkpoint-dir=" + file},
		"--checkpoint-dir: with --nats-url or --cluster-addr it needs --checkpoint-key": {"--checkpoint-dir=/tmp", "--nats-url=nats://localhost:1"},
	} {
		_, err := snapback(t, append([]string{"serve"}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || exitCode(err) != 2 {
			t.Errorf("%v: %v", args, err)
		}
	}
}
