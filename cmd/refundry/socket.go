package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// socketPathMax is how long the path of a Unix socket may be everywhere.
const socketPathMax = 100

// socketPath returns a path of the operator's socket that is short enough for
// the system. free gives back what it needs to stay valid.
func socketPath(data string) (path string, free func() error, err error) {
	path = filepath.Join(data, operatorSocket)
	if len(path) <= socketPathMax {
		return path, func() error { return nil }, nil
	}
	folder, err := os.Open(data) //nolint:gosec // the operator's own folder
	if err != nil {
		return "", nil, fmt.Errorf("operator's socket: %w", err)
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), operatorSocket), folder.Close, nil
}
