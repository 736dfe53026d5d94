package ping

import (
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/setting"
)

// What a tenant may choose.
var (
	settingSecretOptional = setting.NewBool("ping.secret_optional", false,
		"Whether callers on this machine may leave x-api-secret out, for tests. Whoever knows the tenant's id may then refund.")
	settingRateLimit = setting.NewInt("ping.rate_limit", 0, 0,
		"Requests per second of one secret at one replica; 0: no limit.")
	settingLegacyLists = setting.NewText("ping.legacy_lists",
		"What a list is without x-api-version, or with one before 2025-03-06.", legacyArray, legacyPage, legacyReject)
	settingExtraReasons = setting.NewList("ping.extra_reasons",
		"Reasons of refunds that are taken besides fraudulent, requested_by_customer and other.")
	settingRefundable = setting.NewList("ping.refundable",
		"Providers, or provider/method, whose payments can be refunded if they are made from now on; empty: the documented ones.")
	settingMultipleRefunds = setting.NewText("ping.multiple_refunds",
		"Whether what remains after a refund can be refunded too, or a payment once only.", multipleRemaining, multipleSingle)
	settingMaxAmount = setting.NewInt("ping.refund_max_amount", 0, 0,
		"The tenant's threshold: the most that one refund may give back, in minor units; 0: none.")
	settingMaxAgeDays = setting.NewInt("ping.refund_max_age_days", 0, 0,
		"The tenant's threshold: days in which a completed payment can be refunded; 0: none.")
	settingSumStatus = setting.NewText("ping.sum_mismatch_status",
		"The status of a refund's answer whose amount and order_items do not add up.", sumStatus422, sumStatus403)
	settingItemsCheck = setting.NewText("ping.refund_items_check",
		"Whether recipients of a refund's order_items are checked, or their sum only.", itemsStrict, itemsSumOnly)
	settingRefundsView = setting.NewText("ping.refunds_view",
		"Which refunds a payment shows in refunds.", viewCompleted, viewAll)
	settingCallbackPending = setting.NewBool("ping.callback_pending", true,
		"Whether a refund's PENDING is called back.")
	settingSignatureHeader = setting.Text{Spec: setting.Spec{
		Name: "ping.signature_header", Default: signatureHeader,
		Doc: "The header that a callback's signature is in; what is no header name, or has a meaning in HTTP, is not obeyed.",
	}}
	settingSignatureEncoding = setting.NewText("ping.signature_encoding",
		"How a callback's signature is spelled.", encodingBase64, encodingBase64URL, encodingHex)
	settingAutoCreateMerchants = setting.NewBool("ping.auto_create_merchants", true,
		"Whether a merchant that order_items name is made in the sandbox if there is none.")
)

// The words that settings may have.
const (
	legacyArray       = "array"
	legacyPage        = "page"
	legacyReject      = "reject"
	multipleRemaining = "remaining"
	multipleSingle    = "single"
	sumStatus422      = "422"
	sumStatus403      = "403"
	itemsStrict       = "strict"
	itemsSumOnly      = "sum_only"
	viewCompleted     = "completed"
	viewAll           = "all"
	encodingBase64    = "base64"
	encodingBase64URL = "base64url"
	encodingHex       = "hex"
)

// Specs describes every setting of the door.
func Specs() []setting.Spec {
	return []setting.Spec{
		settingSecretOptional.Spec, settingRateLimit.Spec, settingLegacyLists.Spec, settingExtraReasons.Spec,
		settingRefundable.Spec, settingMultipleRefunds.Spec, settingMaxAmount.Spec, settingMaxAgeDays.Spec,
		settingSumStatus.Spec, settingItemsCheck.Spec, settingRefundsView.Spec, settingCallbackPending.Spec,
		settingSignatureHeader.Spec, settingSignatureEncoding.Spec, settingAutoCreateMerchants.Spec,
	}
}

// signatureHeader is where a callback's signature is if nothing else is chosen.
const signatureHeader = "signature"

// headerNameMax bounds the name of a header.
const headerNameMax = 64

// headersTaken are those that a delivery has for itself.
var headersTaken = []string{"connection", "content-length", "content-type", "host", "trailer", "transfer-encoding"}

// signatureHeaderOf returns the chosen header, the usual one if that is no name
// of one, or has a meaning of its own.
func signatureHeaderOf(values setting.Values) string {
	name := settingSignatureHeader.Of(values)
	isOdd := func(letter rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", letter)
	}
	if name == "" || len(name) > headerNameMax || strings.ContainsFunc(name, isOdd) ||
		slices.Contains(headersTaken, strings.ToLower(name)) {
		return signatureHeader
	}
	return name
}

// isRefundable reports whether a provider and method give money back natively.
func isRefundable(provider, method string, values setting.Values) bool {
	list := settingRefundable.Of(values)
	if len(list) == 0 {
		list = refundable
	}
	return slices.Contains(list, provider) || slices.Contains(list, provider+"/"+method)
}
