package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
)

// Which refunds are on their way, and why, changes too often for an index:
// every refund would be written to it and taken from it again. So they are
// looked for in the list of all, a stretch at a time, and no further than this
// in one request.
const (
	looksAtOnce = 1000
	looksMax    = 10_000
)

// olderMax is ten years, in seconds.
const olderMax = 10 * 366 * 24 * 3600

var pendingReasons = []payment.PendingReason{
	payment.PendingApproval, payment.PendingSchedule, payment.PendingHalted, payment.PendingNotSent, payment.PendingProcessor,
	payment.PendingResolution,
}

// readAging reads which refunds on their way are asked for.
func readAging(query url.Values, now time.Time) (aging payment.Aging, err error) {
	q := &filters{query: query}
	for _, word := range q.words("pending_reason", wordsOf(pendingReasons...)) {
		aging.Reasons = append(aging.Reasons, payment.PendingReason(word))
	}
	if aging.ExpectedBefore, err = timeParameter(query, "expected_before"); err != nil {
		return aging, err
	}
	aging.IsStuck = q.word("stuck", "true") != ""
	if text := query.Get("older_than"); text != "" {
		seconds, ok := parseWhole(text, 1, olderMax)
		if !ok {
			q.wrong("older_than", "must be a whole number of seconds from 1 to "+strconv.Itoa(olderMax))
		}
		aging.Since = now.Add(-time.Duration(seconds) * time.Second)
	}
	if !aging.IsZero() && query.Get("totals") != "" {
		q.wrong("totals", "does not go together with pending_reason, expected_before, stuck and older_than")
	}
	return aging, q.err
}

// listAging shows refunds that are on their way, the newest first.
func (a *API) listAging(w http.ResponseWriter, r *http.Request, caller auth.Identity, filter payment.RefundFilter,
	aging payment.Aging,
) error {
	if len(filter.Statuses) == 0 {
		for _, status := range payment.RefundStatuses {
			if status.IsRunning() {
				filter.Statuses = append(filter.Statuses, status)
			}
		}
	}
	if !aging.Since.IsZero() && (filter.Until.IsZero() || filter.Until.After(aging.Since)) {
		filter.Until = aging.Since
	}
	found, err := a.findAging(r.Context(), caller.Tenant, filter, aging)
	if err != nil {
		return err
	}
	now := a.config.Now()
	found.write(w, "refunds", func(to *writer, refund payment.Refund) { showRefundNow(to, refund, now) })
	return nil
}

// findAging looks for refunds, a stretch of the list at a time.
func (a *API) findAging(ctx context.Context, tenant payment.TenantID, filter payment.RefundFilter, aging payment.Aging,
) (found part[payment.Refund], err error) {
	limit := filter.Limit
	filter.Limit = looksAtOnce
	for range looksMax / looksAtOnce {
		refunds, end, isThereMore, err := a.stretch(ctx, tenant, filter)
		if err != nil {
			return found, err
		}
		for _, refund := range refunds {
			if !aging.Lets(refund) {
				continue
			}
			if len(found.rows) == limit {
				found.next, found.hasMore = found.rows[limit-1].Place().String(), true
				return found, nil
			}
			found.rows = append(found.rows, refund)
		}
		if !isThereMore {
			if last := len(found.rows) - 1; last >= 0 {
				found.next = found.rows[last].Place().String()
			} else if filter.After != (payment.Place{}) {
				found.next = filter.After.String()
			}
			return found, nil
		}
		filter.After = end
	}
	found.next, found.hasMore = filter.After.String(), true
	return found, nil
}

// stretch reads the next stretch of a list: of all refunds or a batch's, or of
// the few that something else names.
func (a *API) stretch(ctx context.Context, tenant payment.TenantID, filter payment.RefundFilter,
) (refunds []payment.Refund, end payment.Place, isThereMore bool, err error) {
	isOfFew := !filter.Payment.IsZero() || !filter.Group.IsZero() || filter.Reference != ""
	if !isOfFew {
		end, isThereMore, err = a.config.Lists.RefundsEnd(ctx, tenant, filter, looksAtOnce)
		if err != nil {
			return nil, end, false, err
		}
		filter.To = end
		isThereMore = isThereMore && !end.At.Before(filter.From) // nothing older is asked for
	}
	if refunds, err = a.config.Lists.ListRefunds(ctx, tenant, filter); err != nil {
		return nil, end, false, err
	}
	if isOfFew && len(refunds) == looksAtOnce {
		end, isThereMore = refunds[looksAtOnce-1].Place(), true
	}
	return refunds, end, isThereMore, nil
}
