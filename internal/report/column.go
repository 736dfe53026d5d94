package report

import (
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/money"
)

// The functions here make columns.

func text[T any](name, doc string, of func(T) string) column[T] {
	return column[T]{Column{name, Text, doc}, of}
}

func word[T any, S ~string](name, doc string, of func(T) S) column[T] {
	return column[T]{Column{name, Word, doc}, func(row T) string { return string(of(row)) }}
}

func named[T any, K id.Kind](name, doc string, of func(T) id.ID[K]) column[T] {
	return column[T]{Column{name, Word, doc}, func(row T) string {
		if value := of(row); !value.IsZero() {
			return value.String()
		}
		return ""
	}}
}

func number[T any](name, doc string, of func(T) int64) column[T] {
	return column[T]{Column{name, Number, doc}, func(row T) string { return strconv.FormatInt(of(row), 10) }}
}

func moment[T any](name, doc string, of func(T) time.Time) column[T] {
	return column[T]{Column{name, Time, doc}, func(row T) string { return timeText(of(row)) }}
}

func flag[T any](name, doc string, of func(T) bool) column[T] {
	return column[T]{Column{name, Flag, doc}, func(row T) string { return strconv.FormatBool(of(row)) }}
}

// amount makes two columns of an amount: in minor units, and as a decimal.
func amount[T any](name, doc string, of func(T) money.Amount) []column[T] {
	return []column[T]{
		number(name+"_minor", doc+" In minor units.", func(row T) int64 { return int64(of(row).Minor) }),
		{Column{name, Decimal, "The same in major units."}, func(row T) string { return of(row).Major() }},
	}
}

// timeText writes a time with microseconds, so that times sort as texts.
func timeText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000000Z")
}
