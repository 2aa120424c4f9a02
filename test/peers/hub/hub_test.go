package hub

import (
	"net"
	"testing"
	"testing/synctest"
)

// A connection that ended, or that does not read, keeps no goroutine and is
// sent nothing more.
func TestMemberEnds(t *testing.T) {
	for name, end := range map[string]func(*member){
		"closed":   (*member).close,
		"too slow": func(m *member) { m.queue = make([][]byte, maxQueue); m.send(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				defer there.Close()
				m := &member{conn: here, wake: make(chan struct{}, 1)}
				go m.write(true)
				synctest.Wait()
				end(m)
				synctest.Wait() // a goroutine left over fails the test
				if _, err := there.Read(make([]byte, 1)); err == nil {
					t.Error("it was sent something more")
				}
			})
		})
	}
}
