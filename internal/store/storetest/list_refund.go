package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

var refundListTests = map[string]func(*testing.T, Open){
	"refunds are listed and summed by every filter": testListRefunds,
	"disputes are listed by every filter":           testListDisputes,
	"a list of refunds is read in stretches":        testRefundStretches,
	"reasons in use are known":                      testUsedReasons,
	"a tenant's refunds are not another's":          testRefundListsApart,
}

// sold makes a payment of two captures, whose processor refunds captures.
func (b *bundle) sold(t *testing.T) payment.PaymentID {
	t.Helper()
	id := b.do(t, payment.CreatePayment{
		Meta: b.meta(), Status: payment.PaymentAuthorized, Connector: capturesConnector, Amount: money.Of(1000, "EUR"),
	}).View.Payment.ID
	for _, minor := range []money.Minor{300, 700} {
		b.do(t, payment.CapturePayment{Meta: b.meta(), Payment: id, Amount: minor, IsAtOnce: true})
	}
	return id
}

// refunds makes refunds of all sorts, some of them at one time, and returns
// them as they are in the end.
func (b *bundle) refunds(t *testing.T) (all []payment.Refund) {
	t.Helper()
	euros, perCapture := b.capture(t, 9000).ID, b.sold(t)
	dollars := b.captured(9000)
	dollars.Amount.Currency = "USD"
	asks := payment.BatchID(b.newID())
	usd := b.do(t, dollars).View.Payment.ID
	var refs []payment.RefundRef
	for n, command := range []payment.OpenRefund{
		{Payment: euros, Ask: payment.Ask{Amount: 100}, Reference: "ünï", Reason: "returned", Source: payment.SourceAPI},
		{Payment: euros, Ask: payment.Ask{Amount: 200}, Reference: "ünï", Reason: "recall", Source: payment.SourceBulk, Batch: asks, BatchRow: 7},
		{Payment: perCapture, Ask: payment.Ask{Amount: 1000}, Reason: "returned", Source: payment.SourceBulk, Batch: asks, BatchRow: 1},
		{Payment: usd, Ask: payment.Ask{Amount: 300}, Reference: strings.Repeat("x", 5000), Source: payment.SourceDialect},
		{Payment: usd, Ask: payment.Ask{Amount: 400}, Reason: strings.Repeat("é", 3000), Source: payment.SourceBulk, Batch: b.newID(), BatchRow: 1},
	} {
		command.Meta = b.meta()
		if n%2 == 1 {
			command.Door = doorPing
			b.clock.Advance(time.Second)
		}
		for _, r := range b.do(t, command).Refunds {
			refs = append(refs, payment.RefundRef{Tenant: b.tenant, ID: r.ID})
			switch n {
			case 0:
				b.leave(t, r)(payment.AttemptSucceeded)
			case 1:
				b.do(t, payment.CancelRefund{Meta: b.meta(), Payment: r.Payment, Refund: r.ID})
			case 3:
				b.leave(t, r)(payment.AttemptUnknown)
				b.do(t, payment.FlagRefund{Meta: b.meta(), Payment: r.Payment, Refund: r.ID})
			}
		}
	}
	all, err := b.store.Refunds(t.Context(), refs)
	if err != nil || len(all) != 6 {
		t.Fatalf("%d refunds: %v", len(all), err)
	}
	return all
}

// testRefundStretches reads a list from place to place, of whatever length.
func testRefundStretches(t *testing.T, open Open) {
	b := setup(t, open)
	all := b.refunds(t)
	slices.SortFunc(all, func(x, y payment.Refund) int {
		if order := y.CreatedAt.Compare(x.CreatedAt); order != 0 {
			return order
		}
		return y.ID.Compare(x.ID)
	})
	for length := 1; length <= len(all)+1; length++ {
		var got []payment.RefundID
		filter := payment.RefundFilter{Limit: 100}
		for more := true; more; filter.After = filter.To {
			var err error
			if filter.To, more, err = b.store.RefundsEnd(t.Context(), b.tenant, payment.RefundFilter{After: filter.After}, length); err != nil {
				t.Fatal(err)
			}
			stretch, err := b.store.ListRefunds(t.Context(), b.tenant, filter)
			if err != nil || more && len(stretch) != length {
				t.Fatalf("a stretch of %d, want %d: %v", len(stretch), length, err)
			}
			for _, r := range stretch {
				got = append(got, r.ID)
			}
		}
		want := make([]payment.RefundID, len(all))
		for i, r := range all {
			want[i] = r.ID
		}
		wantSame(t, "the list", got, want)
	}
	oldest := all[len(all)-1]
	end, found, err := b.store.RefundsEnd(t.Context(), b.tenant, payment.RefundFilter{Until: oldest.CreatedAt}, 1)
	if err != nil || !found || end.At.After(oldest.CreatedAt) {
		t.Errorf("until %s: %v, %v: %v", oldest.CreatedAt, end, found, err)
	}
	of := slices.DeleteFunc(slices.Clone(all), func(r payment.Refund) bool { return r.BatchRow != 7 })[0]
	end, found, err = b.store.RefundsEnd(t.Context(), b.tenant, payment.RefundFilter{Batch: of.Batch}, 3)
	if err != nil || !found || end != of.Place() {
		t.Errorf("the third of a batch: %v, %v, want %v: %v", end, found, of.Place(), err)
	}
	if _, found, err := b.store.RefundsEnd(t.Context(), b.newID(), payment.RefundFilter{}, 1); err != nil || found {
		t.Errorf("another tenant has refunds: %v", err)
	}
}

// isWanted reports whether a filter lets a refund through.
func isWanted(f payment.RefundFilter, r payment.Refund) bool {
	return (f.Payment.IsZero() || r.Payment == f.Payment) && (f.Group.IsZero() || r.Group == f.Group) &&
		(f.Batch.IsZero() || r.Batch == f.Batch) &&
		(f.Statuses == nil || slices.Contains(f.Statuses, r.Status)) && (f.Reference == "" || r.Reference == f.Reference) &&
		(f.Reason == "" || r.Reason == f.Reason) && (f.Door == "" || r.Door == f.Door) &&
		(f.Source == "" || r.Source == f.Source) && (f.Currency == "" || r.Amount.Currency == f.Currency) &&
		r.Amount.Minor >= f.Least && (f.Most == 0 || r.Amount.Minor <= f.Most) &&
		(f.NeedsReview == nil || r.NeedsReview() == *f.NeedsReview) && isWithin(r.CreatedAt, f.From, f.Until)
}

func testListRefunds(t *testing.T, open Open) {
	b := setup(t, open)
	all := b.refunds(t)
	first, grouped := all[0], all[slices.IndexFunc(all, func(r payment.Refund) bool { return !r.Group.IsZero() })]
	middle := grouped.CreatedAt
	for name, filter := range map[string]payment.RefundFilter{
		"all":                  {},
		"a payment's":          {Payment: first.Payment},
		"a group's":            {Group: grouped.Group},
		"a group's elsewhere":  {Group: grouped.Group, Payment: b.newID()},
		"no group's":           {Group: b.newID()},
		"a batch's":            {Batch: grouped.Batch},
		"a batch's of a group": {Batch: grouped.Batch, Group: grouped.Group},
		"a batch's of one":     {Batch: grouped.Batch, Payment: first.Payment},
		"a batch's from then":  {Batch: grouped.Batch, From: middle},
		"no batch's":           {Batch: b.newID()},
		"of a status":          {Statuses: []payment.RefundStatus{payment.RefundSucceeded}},
		"of two statuses":      {Statuses: []payment.RefundStatus{payment.RefundPending, payment.RefundCanceled}},
		"of a reference":       {Reference: "ünï"},
		"of another reference": {Reference: "uni"},
		"of a reason":          {Reason: "returned"},
		"of a door":            {Door: doorPing},
		"of a source":          {Source: payment.SourceBulk},
		"in dollars":           {Currency: "USD"},
		"from an amount on":    {Least: 300},
		"up to an amount":      {Most: 300},
		"just an amount":       {Least: 300, Most: 300},
		"to be reviewed":       {NeedsReview: new(true)},
		"not to be reviewed":   {NeedsReview: new(false)},
		"from then on":         {From: middle},
		"until then":           {Until: middle},
		"just then":            {From: middle, Until: middle},
		"before then":          {Until: middle.Add(-time.Microsecond)},
		"all of it": {
			Payment: grouped.Payment, Group: grouped.Group, Statuses: []payment.RefundStatus{grouped.Status},
			Reason: grouped.Reason, Door: grouped.Door, Source: grouped.Source, Currency: "EUR", Least: 1, Most: 500,
			NeedsReview: new(false), From: middle, Until: middle,
		},
	} {
		want := newest(all, payment.Refund.Place, func(r payment.Refund) bool { return isWanted(filter, r) })
		wantPages(t, name, want, payment.Refund.Place, func(after payment.Place, limit int) ([]payment.Refund, error) {
			filter.After, filter.Limit = after, limit
			return b.store.ListRefunds(t.Context(), b.tenant, filter)
		})
		got, err := b.store.SumRefunds(t.Context(), b.tenant, filter) // from the last page: it sums all of them
		if diff := cmp.Diff(sumsOf(want), got); diff != "" || err != nil {
			t.Errorf("sums of %s (-want +got): %v\n%s", name, err, diff)
		}
	}
}

// sumsOf counts refunds by currency and status.
func sumsOf(refunds []payment.Refund) (sums []payment.RefundSum) {
	for _, currency := range []money.Currency{"EUR", "USD"} {
		for _, status := range slices.Sorted(slices.Values(payment.RefundStatuses)) {
			sum := payment.RefundSum{Currency: currency, Status: status}
			for _, r := range refunds {
				if r.Amount.Currency == currency && r.Status == status {
					sum.Count++
					sum.Minor += int64(r.Amount.Minor)
				}
			}
			if sum.Count > 0 {
				sums = append(sums, sum)
			}
		}
	}
	return sums
}

func testListDisputes(t *testing.T, open Open) {
	b := setup(t, open)
	refunded, other := b.capture(t, 1000).ID, b.capture(t, 1000).ID
	gone, err := b.refund(t.Context(), refunded, 600)
	if err != nil {
		t.Fatal(err)
	}
	b.leave(t, gone.Refund)(payment.AttemptSucceeded)
	var all []payment.Dispute
	for n, command := range []payment.OpenDispute{
		{Payment: refunded, Kind: payment.DisputeChargeback, Amount: 900, IsFact: true},
		{Payment: other, Kind: payment.DisputeInquiry, Amount: 10},
		{Payment: other, Kind: payment.DisputeChargeback, Amount: 20},
	} {
		command.Meta = b.meta()
		made := b.do(t, command).Dispute
		if n > 0 {
			b.clock.Advance(time.Second)
		}
		if n == 2 {
			made = b.do(t, payment.MoveDispute{Meta: b.meta(), Payment: other, Dispute: made.ID, To: payment.DisputeWon}).Dispute
		}
		all = append(all, made)
	}
	middle := all[2].CreatedAt
	for name, filter := range map[string]payment.DisputeFilter{
		"all":           {},
		"a payment's":   {Payment: other},
		"of a kind":     {Kinds: []payment.DisputeKind{payment.DisputeInquiry}},
		"of a status":   {Statuses: []payment.DisputeStatus{payment.DisputeWon, payment.DisputeLost}},
		"double losses": {IsDoubleLoss: true},
		"from then on":  {From: middle},
		"before then":   {Until: middle.Add(-time.Microsecond)},
	} {
		want := newest(all, payment.Dispute.Place, func(d payment.Dispute) bool {
			return (filter.Payment.IsZero() || d.Payment == filter.Payment) &&
				(filter.Kinds == nil || slices.Contains(filter.Kinds, d.Kind)) &&
				(filter.Statuses == nil || slices.Contains(filter.Statuses, d.Status)) &&
				(!filter.IsDoubleLoss || d.IsDoubleLoss()) && isWithin(d.CreatedAt, filter.From, filter.Until)
		})
		if len(want) == 0 {
			t.Errorf("%s: nothing is wanted", name)
		}
		wantPages(t, name, want, payment.Dispute.Place, func(after payment.Place, limit int) ([]payment.Dispute, error) {
			filter.After, filter.Limit = after, limit
			return b.store.ListDisputes(t.Context(), b.tenant, filter)
		})
	}
	won := b.do(t, payment.MoveDispute{Meta: b.meta(), Payment: refunded, Dispute: all[0].ID, To: payment.DisputeWon}).Dispute
	if left, err := b.store.ListDisputes(t.Context(), b.tenant, payment.DisputeFilter{IsDoubleLoss: true, Limit: 9}); err != nil ||
		len(left) != 0 || won.DoubleLoss == 0 {
		t.Errorf("a dispute that was won is no loss: %d, %v", len(left), err)
	}
}

func testUsedReasons(t *testing.T, open Open) {
	b := setup(t, open)
	b.refunds(t)
	used, err := b.store.UsedReasons(t.Context(), b.tenant, []string{"recall", "never", "returned", "recall", "'", ""})
	if diff := cmp.Diff([]string{"recall", "returned"}, used); diff != "" || err != nil {
		t.Errorf("used (-want +got): %v\n%s", err, diff)
	}
	if used, err := b.store.UsedReasons(t.Context(), b.tenant, nil); err != nil || len(used) > 0 {
		t.Errorf("of none, %q are used: %v", used, err)
	}
}

func testRefundListsApart(t *testing.T, open Open) {
	b := setup(t, open)
	all := b.refunds(t)
	stranger := b.newID()
	for _, filter := range []payment.RefundFilter{
		{}, {Payment: all[0].Payment}, {Batch: all[2].Batch}, {Group: all[2].Group}, {Reference: "ünï"}, {NeedsReview: new(true)},
	} {
		filter.Limit = 9
		if got, err := b.store.ListRefunds(t.Context(), stranger, filter); err != nil || len(got) != 0 {
			t.Errorf("%d refunds: %v", len(got), err)
		}
		if got, err := b.store.SumRefunds(t.Context(), stranger, filter); err != nil || len(got) != 0 {
			t.Errorf("%d sums: %v", len(got), err)
		}
	}
	if used, err := b.store.UsedReasons(t.Context(), stranger, []string{"returned"}); err != nil || len(used) > 0 {
		t.Errorf("%q are used: %v", used, err)
	}
	b.do(t, payment.OpenDispute{Meta: b.meta(), Payment: all[0].Payment, Kind: payment.DisputeChargeback, Amount: 1})
	for _, filter := range []payment.DisputeFilter{{Limit: 9}, {Limit: 9, Payment: all[0].Payment}} {
		if got, err := b.store.ListDisputes(t.Context(), stranger, filter); err != nil || len(got) != 0 {
			t.Errorf("%d disputes: %v", len(got), err)
		}
	}
}
