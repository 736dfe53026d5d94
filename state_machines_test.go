package refundry_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/payment"
)

var update = flag.Bool("update", false, "write docs/state-machines.md anew")

// docs/state-machines.md is printed from the tables in the code.
func TestStateMachinesAreCurrent(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("# State machines\n\nPrinted from `internal/payment/life.go` and `internal/batch` by `go test . -update`. What is not here cannot happen.\n")
	draw(&text, "Order", "What a door groups payments by.", "open", payment.OrderLife)
	draw(&text, "Payment", "Steps may be skipped; a refund never changes a payment's status. One that has reached an end can be "+
		"[erased](erasure.md): that is no status, but a mark in its history.", "created", payment.PaymentLife)
	draw(&text, "Capture", "It counts once it is settled.", "pending", payment.CaptureLife)
	draw(&text, "Refund", "A pending refund is scheduled or canceled only while it has not left.", "pending", payment.RefundLife)
	draw(&text, "Dispute", "Opening takes its amount from what can be refunded; won or canceled gives it back.", "open", payment.DisputeLife)
	draw(&text, "Batch", "Rows that come after the others make it receive again; once started, it takes none.", "receiving", batch.Life)
	draw(&text, "Row of a batch", "A refund is a fact, whoever brings it: another holder of the job may have been refused before.", "waiting",
		batch.RowLife)
	const path = "docs/state-machines.md"
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != text.String() {
		t.Error("docs/state-machines.md is stale: go test . -update")
	}
}

func draw[S ~string](to *strings.Builder, noun, says, begin string, life payment.Life[S]) {
	fmt.Fprintf(to, "\n## %s\n\n%s\n\n```mermaid\nstateDiagram-v2\n    [*] --> %s\n", noun, says, begin)
	for _, from := range slices.Sorted(maps.Keys(life)) {
		for _, status := range life[from] {
			fmt.Fprintf(to, "    %s --> %s\n", from, status)
		}
		if life.IsEnd(from) {
			fmt.Fprintf(to, "    %s --> [*]\n", from)
		}
	}
	to.WriteString("```\n")
}
