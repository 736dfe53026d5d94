package primer

import (
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// What a tenant may choose.
var (
	defaultVersion = setting.NewText("primer.default_version",
		"Version of the API for callers who send no X-API-VERSION; all have the same bodies.", versions...)
	emitTypeAlias = setting.NewBool("primer.emit_type_alias", false,
		"Whether transactions also have their transactionType as type.")
	autoCapture = setting.NewBool("primer.auto_capture", false,
		"Whether a payment in the sandbox is captured as soon as it is made.")
	createKeyStatus = setting.NewText("primer.create_idempotency_status",
		"HTTP status of a payment asked for with a used key: 409 as for every call, or 400 with an error of its own.",
		createKeyConflict, createKeyBad)
	syncRefunds = setting.NewBool("primer.sync_refunds", false,
		"Whether a refund is answered with its outcome if there is one within two seconds, and not always PENDING.")
	amountRefundedCounts = setting.NewText("primer.amount_refunded_counts",
		"Which refunds amountRefunded counts: those that were accepted, or only those that are settled.", accepted, settled)
	refundDuringDispute = setting.NewText("primer.refund_during_dispute",
		"Whether an open dispute blocks new refunds, or allows them for the rest of the payment.", block, allow)
	requestsPerSecond = setting.NewInt("primer.rate_limit", 0, 0,
		"Requests per second of one key at one replica; 0: no limit.")
	merchantAccounts = setting.NewList("primer.merchant_accounts",
		"Merchant accounts that a payment can be authorized with, each as ID or NAME/ID; empty: any.")
)

// What the settings may be.
const (
	createKeyConflict = "409"
	createKeyBad      = "400"
	accepted          = "accepted"
	settled           = "settled"
	block             = "block"
	allow             = "allow"
)

// versions are those of the API that are spoken: all alike.
var versions = []string{"2.4", "2.3", "2.2", "2.1", "2.0", "2"}

// Specs describes every setting of the door.
func Specs() []setting.Spec {
	home := payment.HomeRulesOf(Name)
	return []setting.Spec{
		defaultVersion.Spec, emitTypeAlias.Spec, autoCapture.Spec, createKeyStatus.Spec, syncRefunds.Spec,
		amountRefundedCounts.Spec, refundDuringDispute.Spec, requestsPerSecond.Spec, merchantAccounts.Spec,
		home.NextDayCountries.Spec, home.WindowDays.Spec,
	}
}
