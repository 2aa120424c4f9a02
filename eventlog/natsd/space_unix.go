//go:build unix

package natsd

import "syscall"

// space is how much of the volume that dir is on is left for this process, and
// how large it is, bytes.
func space(dir string) (left, size int64, known bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, false
	}
	block := int64(fs.Bsize)
	return int64(fs.Bavail) * block, int64(fs.Blocks) * block, true
}
