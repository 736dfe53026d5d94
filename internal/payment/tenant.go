package payment

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/setting"
)

// Tenant is what a commit must know about an organization: its policies and
// where it wants to be told.
type Tenant struct {
	ID        TenantID
	Name      string
	Version   int64 // raised by every change of settings or endpoints
	Settings  setting.Values
	Endpoints []Endpoint
	CreatedAt time.Time
}

// Endpoint is where a tenant wants to be told about its payments. Its secret
// is not here.
type Endpoint struct {
	ID       EndpointID
	Door     Door // in whose words, and with whose signature and schedule
	URL      string
	Kinds    []EventKind // empty: all that the door tells
	Detail   string      // what only its door understands
	Disabled bool
}

// DisabledFor is why an endpoint is disabled.
type DisabledFor string

// The reasons for which endpoints are disabled.
const (
	DisabledAsked   DisabledFor = "asked"   // by whoever manages it
	DisabledGone    DisabledFor = "gone"    // its receiver says that it is gone
	DisabledFailing DisabledFor = "failing" // for too long nothing could be delivered
)

// Disabling is what its deliveries say against an endpoint.
type Disabling struct {
	Reason DisabledFor
	URL    string    // that was called: an endpoint that has moved meanwhile is left alone
	Since  time.Time // since when it fails: one that does not any more is left alone; zero: whatever becomes of it
}

// Policies hold at every front door. They are data: a tenant changes them
// without a new version of Refundry.
var (
	PolicyPartial = setting.NewBool("policy.partial_refunds", true,
		"Whether less than the whole payment may be refunded.")
	PolicyOneAtATime = setting.NewBool("policy.one_refund_at_a_time", false,
		"Whether a refund must end before the next of its payment may begin.")
	PolicyWindowDays = setting.NewInt("policy.window_days", 0, 0,
		"Days after capture in which a payment can be refunded; 0: no limit.")
	PolicyMaximum = setting.NewInt("policy.maximum_amount", 0, 0,
		"The most that one refund may give back, in minor units; 0: no limit.")
	PolicyDuringDispute = setting.NewBool("policy.refund_during_dispute", true,
		"Whether the undisputed rest of a payment may be refunded while a dispute is open.")
	PolicyDuplicateMinutes = setting.NewInt("policy.duplicate_minutes", 0, 0,
		"Minutes in which an equal refund without a key of its own is taken for a mistake; 0: never.")
	PolicyUndoSeconds = setting.NewInt("policy.undo_seconds", 0, 0,
		"Seconds in which a refund waits and can be canceled before it leaves.")
	PolicyApprovalAbove = setting.NewInt("policy.approval_above", 0, 0,
		"Refunds above this amount, in minor units, wait for approval; 0: none.")
	PolicyApprovers = setting.NewInt("policy.approvers", 1, 1,
		"How many persons must approve, none of them the one who asked.")
	PolicyApprovalExpires = setting.NewInt("policy.approval_expires_hours", 0, 0,
		"Hours in which a refund must be approved, or it is canceled; 0: it waits for ever.")
	PolicyEarliestHours = setting.NewInt("policy.earliest_hours", 0, 0,
		"Hours after capture before which no refund of a payment may leave; 0: none.")
	PolicyHalted = setting.NewBool("policy.halted", false,
		"Whether all refunds are stopped: none is opened, and none leaves that has not left.")
	PolicyHaltedConnectors = setting.NewList("policy.halted_connectors",
		"Connectors whose refunds are stopped.")
	PolicyStuckHours = setting.NewInt("policy.stuck_hours", 0, 0,
		"Hours beyond its expected end after which a refund that has left is told to be stuck; 0: never.")
	PolicyReasons = setting.NewList("policy.reasons",
		"The reasons that a refund may have; empty: any.").Limited(ReasonsMax, isReasonCode)
	PolicyReasonRequired = setting.NewBool("policy.reason_required", false,
		"Whether a refund must have a reason.")
	PolicyDailyCountKey = setting.NewInt("policy.daily_count_key", 0, 0,
		"Refunds that one key may open in a UTC day; 0: no limit.")
	PolicyDailyCountUser = setting.NewInt("policy.daily_count_user", 0, 0,
		"Refunds that may be opened on behalf of one user in a UTC day; 0: no limit.")
	PolicyDailyCountTenant = setting.NewInt("policy.daily_count_tenant", 0, 0,
		"Refunds that may be opened in a UTC day in all; 0: no limit.")
	PolicyDailyAmountKey = setting.NewInt("policy.daily_amount_key", 0, 0,
		"What the refunds that one key opens in a UTC day may sum up to, in minor units of each currency; 0: no limit.")
	PolicyDailyAmountUser = setting.NewInt("policy.daily_amount_user", 0, 0,
		"What the refunds opened on behalf of one user in a UTC day may sum up to, in minor units of each currency; 0: no limit.")
	PolicyDailyAmountTenant = setting.NewInt("policy.daily_amount_tenant", 0, 0,
		"What all refunds opened in a UTC day may sum up to, in minor units of each currency; 0: no limit.")
)

// PolicySpecs lists the policies for `refundry settings`.
var PolicySpecs = []setting.Spec{
	PolicyPartial.Spec, PolicyOneAtATime.Spec, PolicyWindowDays.Spec, PolicyMaximum.Spec,
	PolicyDuringDispute.Spec, PolicyDuplicateMinutes.Spec, PolicyUndoSeconds.Spec,
	PolicyApprovalAbove.Spec, PolicyApprovers.Spec, PolicyApprovalExpires.Spec, PolicyEarliestHours.Spec,
	PolicyHalted.Spec, PolicyHaltedConnectors.Spec, PolicyStuckHours.Spec, PolicyReasons.Spec,
	PolicyReasonRequired.Spec, PolicyDailyCountKey.Spec, PolicyDailyCountUser.Spec, PolicyDailyCountTenant.Spec,
	PolicyDailyAmountKey.Spec, PolicyDailyAmountUser.Spec, PolicyDailyAmountTenant.Spec,
}

// Halts reports whether a policy has stopped the refunds of a connector.
func (t *Tenant) Halts(connector string) bool {
	return PolicyHalted.Of(t.Settings) || slices.Contains(PolicyHaltedConnectors.Of(t.Settings), connector)
}

// HomeRules are the rules that come with a payment, whatever door refunds it:
// what the processor behind its home allows.
type HomeRules struct {
	NextDayCountries setting.List
	WindowDays       setting.Int
}

// HomeRulesOf describes the settings by which a home restricts its payments.
// A home need not have them: their defaults restrict nothing.
func HomeRulesOf(home Door) HomeRules {
	return HomeRules{
		NextDayCountries: setting.NewList(string(home)+".next_day_refund_countries",
			"Countries (ISO 3166 alpha-2) whose payments can be refunded from the next UTC day only."),
		WindowDays: setting.NewInt(string(home)+".refund_window_days", 0, 0,
			"Days after capture in which a payment made here can be refunded; 0: no limit."),
	}
}
