// Command bench measures Refundry against what it stands on, side by side in
// one run: see README.md beside it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// flags say what is measured.
type flags struct {
	Rounds      int           `help:"How often everything is measured; medians are printed." default:"3"`
	Length      time.Duration `help:"How long each measurement lasts." default:"2s"`
	Connections []int         `help:"Numbers of connections." default:"1,16,64,256"`
	Stores      []string      `help:"Stores to measure." default:"sqlite,postgres"`
	Payments    int           `help:"How many payments the load is spread over." default:"20000"`
	Only        string        `help:"Measure these only, as in abc." default:"abcdef"`
	Many        int           `help:"How often one payment is refunded in (f): 100, 300, 1000 or 3000." default:"3000"`
	JSON        bool          `help:"Print JSON." name:"json"`
	Profile     string        `help:"Write a CPU profile of this process, of all measurements, to this file." type:"path"`
}

// key names one cell of the table.
type key struct {
	Store       string `json:"store"`
	What        string `json:"what"`
	Connections int    `json:"connections"`
}

// cell is all rounds of one measurement.
type cell struct {
	key
	Samples []sample `json:"samples"`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Description("Measures Refundry against what it stands on. Ratios within one run hold; absolute figures do not travel."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := profiled(f.Profile, func() error { return run(ctx, f) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled writes a CPU profile of what it does, if a file is named.
func profiled(path string, do func() error) (err error) {
	if path == "" {
		return do()
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return do()
}

func run(ctx context.Context, f flags) error {
	cells, manys := map[key]*cell{}, map[string][]*series{}
	for round := range f.Rounds {
		for _, store := range f.Stores {
			began := time.Now()
			if err := runRound(ctx, f, store, cells, manys); err != nil {
				return fmt.Errorf("%s: %w", store, err)
			}
			fmt.Fprintf(os.Stderr, "round %d of %d on %s took %s\n", round+1, f.Rounds, store, time.Since(began).Round(time.Second))
		}
	}
	if f.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"cells": sorted(cells), "many": manys})
	}
	printTables(os.Stdout, f, cells, manys)
	return nil
}

// runRound measures everything once on one store, each variant right after the
// other, so that a slow minute of the machine slows them all.
func runRound(ctx context.Context, f flags, store string, cells map[key]*cell, manys map[string][]*series) (err error) {
	w, err := newWorld(ctx, f, store)
	if err != nil {
		return err
	}
	defer func() {
		if closed := w.close(); err == nil {
			err = closed
		}
	}()
	for _, connections := range f.Connections {
		for _, m := range w.measurements() {
			if !strings.Contains(f.Only, m.name) {
				continue
			}
			got, err := measure(ctx, m.workers(connections), f.Length, w.cpu, m.work(connections))
			if err != nil {
				return fmt.Errorf("(%s) at %d connections: %w", m.name, connections, err)
			}
			k := key{Store: store, What: m.name, Connections: connections}
			if cells[k] == nil {
				cells[k] = &cell{key: k}
			}
			cells[k].Samples = append(cells[k].Samples, got)
		}
	}
	if strings.Contains(f.Only, "f") {
		manys[store], err = w.measureMany(ctx, store, marksUpTo(f.Many), manys[store])
	}
	return err
}

func sorted(cells map[key]*cell) []*cell {
	list := make([]*cell, 0, len(cells))
	for _, c := range cells {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *cell) int {
		return strings.Compare(fmt.Sprintf("%s %s %04d", a.Store, a.What, a.Connections),
			fmt.Sprintf("%s %s %04d", b.Store, b.What, b.Connections))
	})
	return list
}
