package main

import (
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// The clock, the ids and the luck of the whole program begin here, and are
// parameters everywhere else.

func machineTime() time.Time { return time.Now() }

// newID returns an id that grows with time.
func newID() [16]byte { return uuid.Must(uuid.NewV7()) }

func luck() float64 { return rand.Float64() }
