//go:build !unix

package natsd

// lock does nothing where there is no flock: the operator sees to it that
// only one server uses the directory.
func lock(string) (unlock func(), err error) { return func() {}, nil }
