package fault

import (
	"testing"

	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) {
	Sweep()
	node.Main(m)
}
