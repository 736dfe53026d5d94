package batch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/money"
)

// A row over several captures, where the processor refunds captures, is all of
// the refunds that it opens: it counts with what they come to, under caps and in
// a dry run too, and its refund is the first of them.
func TestARowOverSeveralCaptures(t *testing.T) {
	t.Parallel()
	for _, dry := range []bool{false, true} {
		t.Run(fmt.Sprintf("dry run %t", dry), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			of, other := w.payInParts(t, 100, 300, 50), w.payInParts(t, 200, 200)
			id := w.start(t, batch.Options{IsDryRun: dry, Caps: []money.Amount{money.Of(600, "EUR")}},
				row(of, 250), row(of, 201), fmt.Sprintf(`{"payment": %q, "full": true}`, of), // 250 and 200
				row(other, 250), row(other, 150)) // the first would pass the cap
			b := w.finish(t, id)
			want := "refunded refused refunded skipped skipped"
			if dry {
				want = strings.ReplaceAll(want, "refunded", "allowed")
			}
			if got := w.statuses(t, id); got != want {
				t.Fatalf("\n%s, want\n%s", got, want)
			}
			if rows := w.rows(t, id); rows[0].Amount.Minor != 250 || rows[2].Amount.Minor != 200 ||
				!slices.Equal(b.Sums, []money.Amount{money.Of(450, "EUR")}) {
				t.Errorf("%s and %s, in all %v", rows[0].Amount, rows[2].Amount, b.Sums)
			}
			view, err := w.store.View(t.Context(), w.tenant, of)
			if err != nil {
				t.Fatal(err)
			}
			if dry {
				if len(view.Refunds) != 0 {
					t.Errorf("a dry run has opened %d refunds", len(view.Refunds))
				}
				return
			}
			for n, amounts := range map[int][]money.Minor{0: {100, 150}, 2: {150, 50}} {
				var opened []money.Minor
				for _, refund := range view.Group(w.rows(t, id)[n].Refund) {
					opened = append(opened, refund.Amount.Minor)
				}
				if !slices.Equal(opened, amounts) {
					t.Errorf("row %d has opened %v, want %v", n, opened, amounts)
				}
			}
		})
	}
}
