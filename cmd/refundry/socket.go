package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// operatorSocket is the socket, in the data folder, behind which a caller may
// do everything. Who can open it is decided by the file's permissions.
const operatorSocket = "operator.sock"

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

// listenOperator listens on the operator's socket. The caller holds the data
// folder's lock: a socket that is there was left by a process that died.
func listenOperator(ctx context.Context, data string) (net.Listener, error) {
	path, free, err := socketPath(data)
	if err != nil {
		return nil, err
	}
	defer func() { _ = free() }() // the socket stays
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("operator's socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("operator's socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("operator's socket: %w", err), listener.Close())
	}
	return listener, nil
}
