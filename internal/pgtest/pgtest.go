// Package pgtest gives tests and benchmarks a real Postgres: a cluster of
// their own in a temporary folder, reachable by a Unix socket only, and a
// database per caller.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a running Postgres server.
type Cluster struct {
	folder string
	server *exec.Cmd
	exited chan struct{}
	count  atomic.Int64
}

const startTimeout = 30 * time.Second

// Start makes a cluster and starts it. The settings are added to
// postgresql.conf, as in "fsync=off". Stop must be called.
func Start(settings ...string) (_ *Cluster, err error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "refundry-pg-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{folder: folder, exited: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
		}
	}()
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if owner != nil {
		if err := os.Chown(folder, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(folder, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", data, "--username", "postgres", "--auth", "trust",
		"--no-sync", "--encoding", "UTF8", "--locale", "C")
	initdb.Dir, initdb.SysProcAttr = folder, &syscall.SysProcAttr{Credential: owner}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	args := []string{"-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=200"}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	c.server = exec.Command(filepath.Join(bin, "postgres"), args...)
	c.server.Dir = folder
	c.server.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGQUIT}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the server has its own handle
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = c.server.Wait() // Stop asks for the exit
		close(c.exited)
	}()
	return c, c.await()
}

// await waits until the server answers.
func (c *Cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.exited:
			log, _ := os.ReadFile(filepath.Join(c.folder, "log"))
			return fmt.Errorf("postgres ended at once:\n%s", log)
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *Cluster) url(database string) string {
	return "postgres:///" + database + "?user=postgres&host=" + c.folder
}

// Socket is the path of the server's Unix socket, for tests that stand between.
func (c *Cluster) Socket() string { return filepath.Join(c.folder, ".s.PGSQL.5432") }

// Database makes an empty database and returns its URL.
func (c *Cluster) Database(ctx context.Context) (string, error) {
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is pending
	name := "test" + strconv.FormatInt(c.count.Add(1), 10)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return c.url(name), nil
}

// Stop ends the server and removes its folder.
func (c *Cluster) Stop() error {
	if c.server != nil && c.server.Process != nil {
		if err := c.server.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-c.exited
	}
	return os.RemoveAll(c.folder)
}

// binaries returns the folder of the server's programs.
func binaries() (string, error) {
	if bin := os.Getenv("PGBIN"); bin != "" {
		return bin, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server found: `make test` installs one, or set PGBIN to the folder of initdb")
}

// unprivileged returns whom the server runs as when this process is root,
// which Postgres refuses; nil if it is not.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // no other user is needed
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("postgres does not run as root, and %w", err)
	}
	uid, uidErr := strconv.ParseUint(owner.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(owner.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
}

var shared struct {
	sync.Once
	cluster *Cluster
	err     error
}

// Main runs a package's tests and then stops the cluster that they shared:
// call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "postgres not stopped:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// Shared returns the cluster of this test binary, started when first asked
// for. It does not flush: no test pulls the plug. Quick tests do without: the
// other store says most of it, and `make test` runs them all.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("no Postgres in a quick run")
	}
	shared.Do(func() { shared.cluster, shared.err = Start("fsync=off", "synchronous_commit=on") })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// Database returns the URL of an empty database of the shared cluster.
func Database(t testing.TB) string {
	t.Helper()
	url, err := Shared(t).Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Process returns the id of the server's first process, whose children serve.
func (c *Cluster) Process() int { return c.server.Process.Pid }
