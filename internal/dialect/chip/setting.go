package chip

import (
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
)

// What [keysOf] may be.
const (
	keysOfActions = "actions"
	keysOfAll     = "all"
	keysOff       = "off"
)

// What [refundMode] may be.
const (
	modeSync    = "sync"
	modePending = "pending"
)

// What a tenant may choose.
var (
	strictSlash = setting.NewBool("chip.strict_trailing_slash", false,
		"Whether a path without its trailing slash is unknown (C1).")
	keysOf = setting.NewText("chip.idempotency_key",
		"Which calls Idempotency-Key is obeyed on: refund, capture and charge, none, or create too (C2).",
		keysOfActions, keysOff, keysOfAll)
	callbackPorts = setting.NewBool("chip.callback_ports_allowed", true,
		"Whether a callback's URL may name a port (C5).")
	autoPay = setting.NewBool("chip.auto_pay", false,
		"Whether a purchase in the sandbox is paid as soon as it is created (C6).")
	strictRefundBody = setting.NewBool("chip.strict_refund_body", true,
		"Whether a refund's body that has members but no amount is refused (C7).")
	refundAvailability = setting.NewText("chip.refund_availability",
		"How far purchases can be refunded that are paid from now on (C9).",
		availableAll, availableFullOnly, availablePartialOnly, availablePISAll, availablePISPartial, availableNone)
	refundMode = setting.NewText("chip.refund_mode",
		"Whether a refund waits for its outcome, or is always answered as pending (C11).", modeSync, modePending)
	refundSyncTimeout = setting.NewInt("chip.refund_sync_timeout", 2000, 0,
		"Milliseconds that a refund waits for its outcome, 20000 at the most (C11).")
	afterPartial = setting.NewText("chip.availability_after_partial",
		"How the rest can be refunded after a partial refund (C13).", availableAll, availablePartialOnly)
	refundFee = setting.NewInt("chip.refund_fee", 0, 0,
		"The fee that a refund is shown with, in minor units (C14).")
	webhookSchedule = setting.NewList("chip.webhook_schedule",
		"When a webhook is sent, counted from the first attempt, as in 0s, 2m, 8m; empty: as documented (C16).")
	webhookTimeout = setting.NewInt("chip.webhook_timeout", 10, 1,
		"Seconds that an attempt of a webhook may take, 20 at the most (C16).")
	requestsPerSecond = setting.NewInt("chip.rate_limit", 0, 0,
		"Requests per second of one key at one replica; 0: no limit (C18).")
	bodyBytesMax = setting.NewInt("chip.max_body_bytes", 256<<10, 1024,
		"How large a request's body may be, at most 1048576 bytes (C18).")
)

// bodyBytesLimit is what no setting raises.
const bodyBytesLimit = 1 << 20

// syncTimeoutMax keeps a caller's wait well within what the server allows an answer.
const syncTimeoutMax = 20 * time.Second

// Specs describes every setting of the door. How long purchases can be
// refunded (C15) is a rule that comes with the payment, whatever door refunds it.
func Specs() []setting.Spec {
	return []setting.Spec{
		strictSlash.Spec, keysOf.Spec, callbackPorts.Spec, autoPay.Spec, strictRefundBody.Spec, refundAvailability.Spec,
		refundMode.Spec, refundSyncTimeout.Spec, afterPartial.Spec, refundFee.Spec,
		payment.HomeRulesOf(Name).WindowDays.Spec, webhookSchedule.Spec, webhookTimeout.Spec, requestsPerSecond.Spec,
		bodyBytesMax.Spec,
	}
}

// patience is how long a refund's caller waits for its outcome.
func patience(values setting.Values) time.Duration {
	return min(syncTimeoutMax, time.Duration(refundSyncTimeout.Of(values))*time.Millisecond)
}

// documentedSchedule is when webhooks are sent: 3^(n−1) − 1 minutes after the
// first attempt.
var documentedSchedule = []time.Duration{
	0, 2 * time.Minute, 8 * time.Minute, 26 * time.Minute, 80 * time.Minute, 242 * time.Minute, 728 * time.Minute,
	2186 * time.Minute,
}

// schedule returns when webhooks are sent and how long an attempt may take.
// A schedule that cannot be read is the documented one.
func schedule(values setting.Values) ([]time.Duration, time.Duration) {
	timeout := min(webhook.TimeoutMax, time.Duration(webhookTimeout.Of(values))*time.Second)
	return webhook.Gaps(webhookSchedule.Of(values), documentedSchedule), timeout
}
