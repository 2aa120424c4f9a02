package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticks are the units of CPU time in /proc, per second, on every Linux.
const ticks = 100

// childrenCPU gives what tells the CPU seconds that the processes started by
// this one have used, they and theirs; nil where there is no /proc.
func childrenCPU() func() float64 {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return nil
	}
	return func() (seconds float64) {
		parents, used := map[int]int{}, map[int]float64{}
		files, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				continue // it ended
			}
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			parents[pid], used[pid] = parseStat(string(text))
		}
		for pid := range parents {
			for above := parents[pid]; above > 0; above = parents[above] {
				if above == os.Getpid() {
					seconds += used[pid]
					break
				}
			}
		}
		return seconds
	}
}

// parseStat reads a process's parent and its CPU seconds, with those of its
// children that have ended, from its stat file (proc(5)).
func parseStat(stat string) (parent int, used float64) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]) // from the third on: a name may hold anything
	if len(fields) < 15 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(fields[1])
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, _ := strconv.ParseFloat(field, 64)
		used += n / ticks
	}
	return parent, used
}
