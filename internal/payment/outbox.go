package payment

import "time"

// TaskKind is a kind of [Task].
type TaskKind string

// The kinds of task.
const (
	TaskSubmitRefund   TaskKind = "submit_refund"
	TaskInquireRefund  TaskKind = "inquire_refund"
	TaskStartRefund    TaskKind = "start_refund"
	TaskTakePayment    TaskKind = "take_payment"
	TaskExpirePayment  TaskKind = "expire_payment"
	TaskDeliverWebhook TaskKind = "deliver_webhook"
	TaskDeferRefund    TaskKind = "defer_refund"
	TaskExpireRefund   TaskKind = "expire_refund"
	TaskWatchRefund    TaskKind = "watch_refund"
	TaskResendRefund   TaskKind = "resend_refund"
	TaskRunBatch       TaskKind = "run_batch" // of package batch
)

// TaskKinds lists every kind, for tables that must have a row for each.
var TaskKinds = []TaskKind{
	TaskSubmitRefund, TaskInquireRefund, TaskStartRefund,
	TaskTakePayment, TaskExpirePayment, TaskDeliverWebhook, TaskDeferRefund,
	TaskExpireRefund, TaskWatchRefund, TaskResendRefund, TaskRunBatch,
}

// Task is work that a commit leaves to be done; stored, it is a job. There is
// at most one of a kind for a subject: asking for it again brings it forward,
// or, while it runs, makes it run again.
type Task struct {
	Tenant  TenantID
	Kind    TaskKind
	Subject [16]byte // the refund, payment or delivery
	Payment PaymentID
	Queue   string // what it competes with for free places: a connector, an endpoint
	DueAt   time.Time
	After   Turn     // zero: it need not wait for others
	Claim   [16]byte // set: it is born leased to the replica that commits it
}

// Ref names the task's claim.
func (t Task) Ref() TaskRef {
	return TaskRef{Tenant: t.Tenant, Kind: t.Kind, Subject: t.Subject, Claim: t.Claim}
}

// Turn puts tasks of one thread in order: one is due only while no task of
// the thread with a lower number is left.
type Turn struct {
	Thread [16]byte
	Number int64
}

// TaskRef names one claim of a task: only its holder can finish it.
type TaskRef struct {
	Tenant  TenantID
	Kind    TaskKind
	Subject [16]byte
	Claim   [16]byte
}

// Delivery is one event for one endpoint, to be told by webhook.
type Delivery struct {
	ID       DeliveryID
	Endpoint Endpoint
	Event    Event
	Word     string   // what its door calls what is told
	Thread   [16]byte // deliveries of a thread go out in order; zero: in any order
	Hurries  bool     // earlier ones of the thread are looked at at once: they may have nothing left to tell
}

// ProcessorQueue is the queue of tasks that call a connector's processor.
func ProcessorQueue(connector string) string { return "processor:" + connector }

// SystemQueue is the queue of tasks that call nobody.
const SystemQueue = "system"
