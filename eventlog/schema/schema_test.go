package schema

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the present version's file, if it is not there yet")

// TestSchema_IsThatOfTheTypes: what is committed is what the types give now.
// With -update the file is written, but never over one that is there.
func TestSchema_IsThatOfTheTypes(t *testing.T) {
	made := generate(t)
	if *update {
		f, err := os.OpenFile(File(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			_, err = f.Write(made)
			f.Close()
		} else if os.IsExist(err) {
			err = nil
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(File())
	if err != nil || !bytes.Equal(have, made) {
		t.Errorf("%s is not what the types give (%v): if the shape of a record changed, raise Version and go generate", File(), err)
	}
}

// TestSchema_AVersionNeverChanges: readers of the log hold on to it.
func TestSchema_AVersionNeverChanges(t *testing.T) {
	names, err := fs.Glob(files, "commit.v*.json")
	if err != nil || len(names) != len(published) || len(names) != Version {
		t.Fatalf("files %v, published %v (%v)", names, published, err)
	}
	for v, sum := range published {
		data, err := Read(fmt.Sprintf("commit.v%d.json", v))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
			t.Errorf("version %d has the sum %x, it was published with %q: a change needs a new version", v, got, sum)
		}
	}
}
