package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of CPU times in /proc: Linux has fixed it.
const clockTick = 10 * time.Millisecond

// cpuOf returns the CPU time of this process and of a database server's
// processes (0: none). Backends live as long as the pool keeps them.
func cpuOf(server int) func() time.Duration {
	return func() time.Duration {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			return 0
		}
		spent := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		if server == 0 {
			return spent
		}
		stats, err := filepath.Glob("/proc/[0-9]*/stat")
		if err != nil {
			return spent
		}
		for _, path := range stats {
			spent += cpuOfStat(path, server)
		}
		return spent
	}
}

// cpuOfStat reads one process's times if it is the server or its child.
func cpuOfStat(path string, server int) time.Duration {
	text, err := os.ReadFile(path) //nolint:gosec // below /proc
	if err != nil {
		return 0 // it has ended
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	isServer := strings.HasPrefix(string(text), strconv.Itoa(server)+" ")
	if !isServer && fields[1] != strconv.Itoa(server) {
		return 0
	}
	var ticks int64
	for _, field := range fields[11:13] {
		count, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		ticks += count
	}
	return time.Duration(ticks) * clockTick
}
