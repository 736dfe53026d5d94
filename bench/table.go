package main

import (
	"fmt"
	"io"
	"slices"
)

// median returns the middle of one figure of a cell's samples.
func (c *cell) median(figure func(sample) float64) float64 {
	values := make([]float64, len(c.Samples))
	for i, s := range c.Samples {
		values[i] = figure(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// spread returns how far the rounds lie apart, as a part of the median.
func (c *cell) spread() float64 {
	least, most := c.Samples[0].PerSecond, c.Samples[0].PerSecond
	for _, s := range c.Samples {
		least, most = min(least, s.PerSecond), max(most, s.PerSecond)
	}
	return (most - least) / c.median(perSecond)
}

func perSecond(s sample) float64 { return s.PerSecond }

// printTables prints a table per store.
func printTables(to io.Writer, f flags, cells map[key]*cell, manys map[string][]*series) {
	for _, store := range f.Stores {
		if len(cells) == 0 { // (f) alone
			printSeries(to, store, marksUpTo(f.Many), manys[store])
			continue
		}
		_, _ = fmt.Fprintf(to, "\n### %s\n\n", store)
		_, _ = fmt.Fprintf(to, "| what | connections | per second | spread | p50 ms | p99 ms | CPU µs | to (a) | to 1/(1/a+1/b) |\n")
		_, _ = fmt.Fprintf(to, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
		for _, what := range []string{"a", "b", "c", "d", "e"} {
			for _, connections := range f.Connections {
				c, ok := cells[key{store, what, connections}]
				if !ok {
					continue
				}
				_, _ = fmt.Fprintf(to, "| (%s) %s | %d | %.0f | %.0f %% | %.2f | %.2f | %.0f | %s | %s |\n",
					what, titles[what], connections, c.median(perSecond), 100*c.spread(),
					c.median(func(s sample) float64 { return s.P50 }), c.median(func(s sample) float64 { return s.P99 }),
					c.median(func(s sample) float64 { return s.CPU }),
					ratio(cells, store, what, connections, bare), ratio(cells, store, what, connections, composed))
			}
		}
		printSeries(to, store, marksUpTo(f.Many), manys[store])
	}
}

// titles says what each measurement is.
var titles = map[string]string{
	"a": "bare net/http handler", "b": "bare store, in batches", "c": "POST /v1/refunds",
	"d": "Smart Glocal session/refund", "e": "whole life, own API",
}

// ratio returns the median, over rounds, of a round's figure by a limit of the same round.
func ratio(cells map[key]*cell, store, what string, connections int, limit func(a, b float64) float64) string {
	mine := cells[key{store, what, connections}]
	a, okA := cells[key{store, "a", connections}]
	b, okB := cells[key{store, "b", connections}]
	if !okA || !okB {
		return ""
	}
	ratios := make([]float64, len(mine.Samples))
	for i := range mine.Samples {
		ratios[i] = mine.Samples[i].PerSecond / limit(a.Samples[i].PerSecond, b.Samples[i].PerSecond)
	}
	slices.Sort(ratios)
	return fmt.Sprintf("%.2f", ratios[len(ratios)/2])
}

func bare(a, _ float64) float64 { return a }

func composed(a, b float64) float64 { return 1 / (1/a + 1/b) }
