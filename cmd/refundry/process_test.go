package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/refundry/refundry/internal/pgtest"
)

// binary is the program under test, built once.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "refundry-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "refundry")
	build := exec.Command("go", "build", "-o", path, ".") //nolint:noctx // ends by itself
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, output)
	}
	return path, nil
})

func TestMain(m *testing.M) { pgtest.Main(m) }

// process is a running `refundry serve --sandbox`.
type process struct {
	command *exec.Cmd
	url     string
	file    sandboxFile
}

// sandboxFile is what the tests use of sandbox.json.
type sandboxFile struct {
	BaseURL string `json:"base_url"`
	Tenant  string `json:"tenant"`
	API     struct {
		BaseURL       string `json:"base_url"`
		Key           string `json:"key"`
		WebhookSecret string `json:"webhook_secret"`
	} `json:"api"`
	SmartGlocal project `json:"smartglocal"`
	Pike        project `json:"pike"`
}

type project struct {
	BaseURL               string `json:"base_url"`
	Project               string `json:"project"`
	PrivateKeyFile        string `json:"private_key_file"`
	ProviderPublicKeyFile string `json:"provider_public_key_file"`
}

// startServe starts the server and waits until it says that it is ready.
func startServe(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{"serve", "--sandbox", "--json", "--log-level=error", "--listen=127.0.0.1:0"}, args...)
	p := &process{command: exec.CommandContext(context.Background(), path, all...)} //nolint:gosec // our own program
	p.command.Stderr = os.Stderr
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the server did not get ready: %v (%v)", err, p.command.Wait())
	}
	var ready struct {
		BaseURL     string `json:"base_url"`
		SandboxFile string `json:"sandbox_file"`
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	p.url = ready.BaseURL
	content, err := os.ReadFile(ready.SandboxFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &p.file); err != nil {
		t.Fatal(err)
	}
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// stop ends the process as an operator would, and fails if it does not end well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("the server did not stop well: %v", err)
	}
}
