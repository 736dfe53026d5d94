package smartglocal

import (
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
)

// switches are what a tenant may choose for one brand.
type switches struct {
	PartialRefunds    setting.Bool
	ParallelRefunds   setting.Bool
	FullAfterPartial  setting.Text
	RequireAmount     setting.Bool
	TellFailed        setting.Bool
	WebhookVersion    setting.Text
	WebhookSchedule   setting.List
	WebhookTimeout    setting.Int
	AutoConfirm       setting.Bool
	DelayedCapture    setting.Bool
	RequireAction     setting.Bool
	EmitFPMessageID   setting.Bool
	MerchantDisputes  setting.Bool
	RequestsPerSecond setting.Int
	BodyBytesMax      setting.Int
}

// What FullAfterPartial may be.
const (
	reject    = "reject"
	remainder = "remainder"
)

// auto lets a webhook speak the version that the session was made with (C10).
const auto = "auto"

func switchesOf(brand Brand) switches {
	name := func(what string) string { return string(brand) + "." + what }
	return switches{
		PartialRefunds: setting.NewBool(name("partial_refunds_enabled"), true,
			"Whether less than the whole payment may be refunded (C12)."),
		ParallelRefunds: setting.NewBool(name("parallel_refunds"), false,
			"Whether a refund may begin while another of its session runs (C8)."),
		FullAfterPartial: setting.NewText(name("full_refund_after_partial"),
			"What a refund without an amount means after a partial one: nothing, or the rest (C7).", reject, remainder),
		RequireAmount: setting.NewBool(name("require_amount_details"), false,
			"Whether every refund must name its amount (C22)."),
		TellFailed: setting.NewBool(name("webhook_on_failed_refund"), true,
			"Whether payment_refunded is also sent for refunds that were declined or failed (C9)."),
		WebhookVersion: setting.NewText(name("webhook_api_version"),
			"Field names of webhooks: as the session was made, or always of one version (C10).",
			auto, string(V1), string(V2)),
		WebhookSchedule: setting.NewList(name("webhook_schedule"),
			"When a webhook is sent, counted from the first attempt, as in 0s, 15s, 45s; empty: as documented (C11)."),
		WebhookTimeout: setting.NewInt(name("webhook_timeout"), 10, 1,
			"Seconds that an attempt of a webhook may take, 20 at the most (C11)."),
		AutoConfirm: setting.NewBool(name("auto_confirm"), true,
			"Whether a payment in the sandbox goes on without session/confirm (C16)."),
		DelayedCapture: setting.NewBool(name("delayed_capture"), false,
			"Whether a payment in the sandbox waits for session/capture (C16)."),
		RequireAction: setting.NewBool(name("require_action"), false,
			"Whether a payment in the sandbox waits for its payer, as for 3-D Secure."),
		EmitFPMessageID: setting.NewBool(name("emit_fp_message_id"), brand == Pike,
			"Whether transaction_info has fp_message_id."),
		MerchantDisputes: setting.NewBool(name("merchant_can_chargeback"), false,
			"Whether a merchant may open chargebacks by session/chargeback (C14)."),
		RequestsPerSecond: setting.NewInt(name("rate_limit"), 0, 0,
			"Requests per second of one project at one replica; 0: no limit (C24)."),
		BodyBytesMax: setting.NewInt(name("max_body_bytes"), bodyBytesDefault, 1024,
			"How large a request's body may be, at most 262144 bytes (C3)."),
	}
}

// bodyBytesDefault is how large a body may be (C3). It is also the most that
// is read before it is known whose it is.
const bodyBytesDefault = 256 << 10

// choices has the switches of both brands.
var choices = map[Brand]switches{SmartGlocal: switchesOf(SmartGlocal), Pike: switchesOf(Pike)}

// Specs describes every setting of both brands.
func Specs() []setting.Spec {
	var specs []setting.Spec
	for _, brand := range Brands {
		s, home := choices[brand], payment.HomeRulesOf(brand.Door())
		specs = append(specs,
			s.PartialRefunds.Spec, s.ParallelRefunds.Spec, s.FullAfterPartial.Spec, s.RequireAmount.Spec,
			home.NextDayCountries.Spec, home.WindowDays.Spec,
			s.TellFailed.Spec, s.WebhookVersion.Spec, s.WebhookSchedule.Spec, s.WebhookTimeout.Spec,
			s.AutoConfirm.Spec, s.DelayedCapture.Spec, s.RequireAction.Spec, s.EmitFPMessageID.Spec,
			s.MerchantDisputes.Spec, s.RequestsPerSecond.Spec, s.BodyBytesMax.Spec)
	}
	return specs
}

// documentedSchedule is when webhooks are sent (C11).
var documentedSchedule = []time.Duration{
	0, 15 * time.Second, 45 * time.Second, 105 * time.Second, 225 * time.Second, 465 * time.Second, 945 * time.Second,
	30 * time.Minute,
}

// schedule returns when webhooks are sent and how long an attempt may take.
// A schedule that cannot be read is the documented one.
func (s switches) schedule(values setting.Values) ([]time.Duration, time.Duration) {
	timeout := min(webhook.TimeoutMax, time.Duration(s.WebhookTimeout.Of(values))*time.Second)
	return webhook.Gaps(s.WebhookSchedule.Of(values), documentedSchedule), timeout
}
