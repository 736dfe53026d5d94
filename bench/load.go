package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sample is one measurement.
type sample struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	CPU       float64 `json:"cpu_us"` // per piece of work: this process and the database's, the load's own share included
}

// work makes what one worker does again and again: it returns how many
// refunds a call of it stands for.
type work func(ctx context.Context) (once func() (int, error), err error)

// measure lets workers do their work for a while.
func measure(ctx context.Context, workers int, length time.Duration, cpu func() time.Duration, work work) (sample, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mutex sync.Mutex
	var took []time.Duration
	var failed error
	var isOver atomic.Bool
	var ready, running sync.WaitGroup
	start := make(chan struct{})
	ready.Add(workers)
	for range workers {
		running.Go(func() {
			mine, err := lap(ctx, work, &isOver, &ready, start)
			mutex.Lock()
			defer mutex.Unlock()
			took = append(took, mine...)
			failed = errors.Join(failed, err)
		})
	}
	ready.Wait()
	spent := cpu()
	began := time.Now()
	close(start)
	timer := time.AfterFunc(length, func() { isOver.Store(true) })
	defer timer.Stop()
	running.Wait()
	elapsed := time.Since(began)
	spent = cpu() - spent
	if failed != nil || len(took) == 0 {
		return sample{}, fmt.Errorf("load: %w", failed)
	}
	slices.Sort(took)
	return sample{
		PerSecond: float64(len(took)) / elapsed.Seconds(),
		P50:       float64(took[len(took)/2].Microseconds()) / 1000,
		P99:       float64(took[len(took)*99/100].Microseconds()) / 1000,
		CPU:       float64(spent.Microseconds()) / float64(len(took)),
	}, nil
}

// lap is what one worker does: everything is made before the start.
func lap(ctx context.Context, work work, isOver *atomic.Bool, ready *sync.WaitGroup, start <-chan struct{},
) ([]time.Duration, error) {
	once, err := work(ctx)
	ready.Done()
	if err != nil {
		return nil, err
	}
	<-start
	var took []time.Duration
	for !isOver.Load() {
		began := time.Now()
		count, err := once()
		if err != nil {
			return took, err
		}
		for lasted := time.Since(began); count > 0; count-- {
			took = append(took, lasted)
		}
	}
	return took, nil
}

// caller is one connection that sends requests made beforehand and reads no
// more of the answers than it must: the load must not be what is measured.
type caller struct {
	conn   net.Conn
	reader *bufio.Reader
	body   []byte
}

func dial(ctx context.Context, address string) (*caller, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return &caller{conn: conn, reader: bufio.NewReader(conn)}, nil
}

// send sends a request and returns its answer's body, valid until the next.
func (c *caller) send(request []byte, want int) ([]byte, error) {
	if _, err := c.conn.Write(request); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	line, err := c.reader.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	length := 0
	for {
		field, err := c.reader.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("answer: %w", err)
		}
		if field == "\r\n" {
			break
		}
		if value, ok := strings.CutPrefix(field, "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return nil, fmt.Errorf("answer: %w", err)
			}
		}
	}
	c.body = slices.Grow(c.body[:0], length)[:length]
	if _, err := io.ReadFull(c.reader, c.body); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if !strings.HasPrefix(line, fmt.Sprintf("HTTP/1.1 %d ", want)) {
		return nil, fmt.Errorf("answered %q: %s", strings.TrimSpace(line), c.body)
	}
	return c.body, nil
}

// request returns the bytes of a POST.
func request(path string, header http.Header, body []byte) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n",
		path, len(body))
	_ = header.Write(&text) // into memory
	text.WriteString("\r\n")
	return append([]byte(text.String()), body...)
}
