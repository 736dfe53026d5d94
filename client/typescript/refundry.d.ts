// The types of Refundry's API, from docs/openapi.json. To make them again: go test ./internal/api -update

/** A key of our own API. */
export interface APIKeyRequest {
  /** `api_key`, unless it is named. */
  kind?: "api_key" | "" | null;
  /** For people. */
  name?: string | null;
  /** What it may do; everything that a merchant may, unless they are named. */
  scopes?: Scope[] | null;
}

/** A place where value rests: `processor:<connector>:receivable` and `:bank`, `merchant:<merchant>:payable` and `:allocated`, `refunds:in_flight`, `disputes:held`. */
export type Account = string;

/** What an account is for. */
export type AccountKind = "processor_receivable" | "processor_bank" | "merchant_payable" | "merchant_allocated" | "refunds_in_flight" | "disputes_held";

/** A whole list. */
export interface AccountList {
  accounts: LedgerAccount[];
}

/** How the payment is known elsewhere. */
export interface Alias {
  kind: string;
  value: string;
}

/** An amount of a currency. */
export interface Amount {
  amount: Minor;
  currency: Currency;
}

/** Somebody's yes. */
export interface Approval {
  actor: string;
  /** On whose behalf. Absent: nobody was named, or the person was erased. */
  user?: string;
  /** Of the same person. */
  person?: PersonID;
  /** What was seen. */
  digest?: Digest;
  at: Time;
}

/** A yes to a refund that waits for approval. */
export interface ApprovalRequest {
  /** Of the refund, as it was seen. */
  digest?: string | null;
}

/** The chain at one commit. */
export interface AuditCheckpoint {
  /** Who has asked. */
  tenant: TenantID;
  /** Of the commit, among those of all tenants. */
  number: number;
  /** Of this commit and, through it, of all before it. */
  hash: SHA256;
  /** When it was committed. */
  at: Time;
  /** Of the tenant's own part of the commit. Absent: it has none. */
  digest?: SHA256;
}

/** Something that somebody did. */
export interface AuditEntry {
  /** The entry's place in the trail: that of the event in the feed. */
  id: string;
  /** Which has sealed it. */
  commit: number;
  at: Time;
  /** What was done. New kinds may come. */
  kind: string;
  /** Who did it: `key:…`, `operator:…`, or a part of Refundry. */
  actor: string;
  /** The key that did it. Absent: it was no key. */
  by_key?: KeyID;
  /** The person on whose behalf. Absent: nobody was named, or the person was erased. */
  user?: string;
  /** Names that person, erased or not. */
  person?: PersonID;
  /** `true`: the person was erased, and user and address with it. */
  erased?: boolean;
  /** `true`: the key of its person does not open what names the person: one of the two is not what it was. Run `refundry verify`; it looks at the rest of the entry, too. */
  damaged?: boolean;
  /** The IP address that it was asked from. Absent: not over the network, or the person was erased. */
  address?: string;
  /** Where it was asked for. */
  door?: Door;
  /** The request that asked for it. */
  request_id?: string;
  /** The payment that it is about. */
  payment?: PaymentID;
  refund?: RefundID;
  dispute?: DisputeID;
  order?: OrderID;
  payout?: PayoutID;
  batch?: BatchID;
  resource?: ResourceID;
  endpoint?: EndpointID;
  key?: KeyID;
  tenant?: TenantID;
  /** Who was erased. */
  erased_person?: PersonID;
  /** The payment's, when it happened; else the order's, the batch's or the tenant's. */
  version?: Version;
  /** What was changed, as it was: members of the subject, and the sums of its payment in `payment`. Absent: it was not there before, or nothing of it is shown. */
  before?: Record<string, unknown>;
  /** What was changed, as it became. */
  after?: Record<string, unknown>;
  /** What else a change of settings says. */
  detail?: Record<string, unknown>;
}

/** A line of an export. */
export interface AuditLine {
  line: AuditLineKind;
  tenant?: TenantID;
  /** Of the commit. */
  number?: number;
  /** Of the chain. */
  hash?: SHA256;
  /** When it was committed. */
  at?: Time;
  /** Of the tenant's part of the commit. */
  digest?: SHA256;
  /** In the commit, or in the file. */
  events?: number;
  /** The first commit that the file is about. */
  first?: number;
  /** In the file. */
  commits?: number;
  /** Of the event. */
  commit?: number;
  /** All zeros: none. */
  payment?: UUID;
  subject?: UUID;
  version?: number;
  /** Microseconds since 1970. */
  at_micros?: number;
  kind?: string;
  actor?: string;
  door?: string;
  request?: string;
  /** JSON, as it was sealed; or empty. */
  detail?: string;
  /** On whose behalf. */
  person?: UUID;
  /** User and address under the person's key (base64). */
  sealed?: string;
  /** Where nobody was named. */
  address?: string;
  postings?: AuditPosting[];
  payout?: AuditPayout;
}

/** `commit`: what follows was sealed together. `event`: with exactly what the digest covers. `checkpoint`: the end. */
export type AuditLineKind = "commit" | "event" | "checkpoint";

/** A page of a list. */
export interface AuditPage {
  entries: AuditEntry[];
  /** Where to go on: the next request's `after`. Empty at the beginning of an empty list. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
}

/** A payout that the event tells of. */
export interface AuditPayout {
  order: UUID;
  merchant: string;
  amount: Minor;
  currency: Currency;
  at_micros: number;
}

/** A posting that the event made. */
export interface AuditPosting {
  cause: string;
  debit: Account;
  credit: Account;
  amount: Minor;
  currency: Currency;
}

/** What rests in one account. */
export interface Balance {
  account: Account;
  currency: Currency;
  /** Debits minus credits, in minor units. What we owe is below zero. */
  balance: number;
}

/** A whole list. */
export interface BalanceList {
  balances: Balance[];
}

/** Refunds that are asked for together. */
export interface Batch {
  id: BatchID;
  status: BatchStatus;
  pause?: BatchPause;
  /** What you call it. */
  reference?: string;
  is_dry_run: boolean;
  /** The most refunds a second. */
  per_second?: number;
  /** The most that is refunded, per currency. */
  caps?: Amount[];
  pauses_on_failure: boolean;
  rows: BatchRows;
  /** What was refunded, or allowed by a dry run, per currency. */
  sums: Amount[];
  /** Their caps were reached. */
  full_currencies?: Currency[];
  created_at: Time;
  started_at?: Time;
  ended_at?: Time;
  updated_at: Time;
  /** Of the batch. Of two, the higher one is newer. */
  version: number;
}

/** The most that a batch refunds in a currency. */
export interface BatchCap {
  /** In minor units. */
  amount: number;
  currency: Currency;
}

/** Names a batch. */
export type BatchID = string;

/** A page of a list. */
export interface BatchPage {
  batches: Batch[];
  /** Where to go on: the next request's `after`. Empty at the beginning of an empty list. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
}

/** Why it is paused: somebody asked, a row was refused, or a policy has stopped refunds. */
export type BatchPause = "asked" | "failure" | "halted";

/** Where the refund is by now, or all that were opened together; `mixed`: these differ. */
export type BatchRefundStatus = "awaiting_approval" | "scheduled" | "pending" | "unknown" | "succeeded" | "declined" | "failed" | "canceled" | "returned" | "mixed";

/** How a batch is worked through. */
export interface BatchRequest {
  /** What you call it. */
  reference?: string | null;
  /** Every row is decided by the same rules, and nothing is refunded. */
  is_dry_run?: boolean | null;
  /** The most refunds a second. Absent: as many as there can be. */
  per_second?: number;
  /** The most that is refunded, per currency. The row that would pass its cap is skipped, and so are all after it in its currency. With any cap, no other currency is refunded. */
  caps?: BatchCap[];
  /** It pauses at the first row that is refused; the rows behind it wait. They are decided one at a time, which is slower. */
  pauses_on_failure?: boolean | null;
}

/** What became of a row. */
export interface BatchResult {
  /** 1, 2, … */
  number: number;
  /** The row's own. */
  key?: string;
  status: BatchRowStatus;
  payment?: PaymentID;
  /** What the merchant calls the payment. */
  payment_reference?: string;
  /** The first, where several were opened together. */
  refund?: RefundID;
  refund_status?: BatchRefundStatus;
  /** Of the refund, or of all that were opened together. */
  amount?: Minor;
  currency?: Currency;
  /** Why it is no refund: the code of an error, `canceled`, `cap` or `long`. */
  code?: string;
  message?: string;
  /** What would be allowed. */
  refundable?: Minor;
  /** From when it would be allowed. */
  from?: Time;
  errors?: BatchRowError[];
}

/** A refund that is asked for. Exactly one of `amount`, `items` and `full` says how much. */
export type BatchRow = {
  /** The payment's id. */
  payment: string;
  /** In minor units, with the `currency`. */
  amount?: number;
  /** Of the payment. It must be there with an `amount`. */
  currency?: Currency;
  /** Units of line items. */
  items?: ItemAsk[];
  /** All that is left. */
  full?: true;
  /** Why the money goes back. */
  reason?: string | null;
  /** For your own records. */
  note?: string | null;
  /** For the payer. */
  message?: string | null;
  /** What you call the refund. */
  reference?: string | null;
  /** An object of the caller's own, of at most 16 KiB. */
  metadata?: Record<string, unknown> | null;
  /** The refund's idempotency key, as of one that is asked for alone: used before, it is that refund again. No two rows have the same. Absent: one that follows from the batch and the row's number. */
  key?: string | null;
} & ({ amount: number } | { items: ItemAsk[] } | { full: true });

/** One thing that is wrong with a row. */
export interface BatchRowError {
  /** Into the row. */
  pointer: string;
  detail: string;
}

/** `refunded`: a refund was opened. `allowed`: a dry run; it would be. `refused`: a rule said no. `invalid`: it could not be read. `skipped`: the batch was canceled, or has reached its cap. */
export type BatchRowStatus = "waiting" | "refunded" | "allowed" | "refused" | "invalid" | "skipped";

/** How many rows there are, by what became of them. */
export interface BatchRows {
  /** In all. Rows that are sent next begin at this offset. */
  received: number;
  waiting: number;
  /** A refund was opened. How that ends, the refund says. */
  refunded: number;
  /** A dry run: they would be refunded. */
  allowed: number;
  /** A rule said no. */
  refused: number;
  /** They could not be read. */
  invalid: number;
  /** The batch was canceled, or has reached its cap. */
  skipped: number;
}

/** `receiving`: its rows have not come whole. `ready`: it can be started. `canceled`: what waited is skipped. `done`: no row waits. */
export type BatchStatus = "receiving" | "ready" | "running" | "paused" | "canceled" | "done";

/** An entry, and the payment that it is about. */
export interface BookedEntry {
  payment: PaymentID;
  /** The business event. */
  cause: string;
  /** That moved. Absent: the payment itself. */
  refund?: RefundID;
  /** That moved. */
  dispute?: DisputeID;
  version: Version;
  at: Time;
  postings: Posting[];
}

/** One taking of all or a part of an authorized amount. */
export interface Capture {
  /** A refund can name it. */
  id: CaptureID;
  amount: Minor;
  status: CaptureStatus;
  /** Whether nothing more will be captured. */
  is_final: boolean;
  /** From when it counts. Absent: it does not. */
  settled_at?: Time;
}

/** Names one taking of an authorized amount. */
export type CaptureID = string;

/** What refunds have left of a capture. */
export interface CaptureLeft {
  /** A refund can name it. */
  id: CaptureID;
  /** Taken. */
  amount: Minor;
  /** What is left of it. */
  refundable: Minor;
}

/** All or a part of an authorized payment, which was taken. */
export interface CaptureRequest {
  /** What was taken, in minor units. */
  amount: number;
  /** Of the payment. */
  currency: Currency;
  /** Nothing more will be captured: the rest was given up. What takes all that is left is final by itself. */
  final?: boolean | null;
}

/** `pending`: asked for, and not taken yet; it does not count. */
export type CaptureStatus = "pending" | "settled" | "failed";

/** What went wrong. Each has a page: `/errors/<code>`. */
export type Code = "already_exists" | "amount_out_of_range" | "another_refund_pending" | "approval_of_something_else" | "attempt_unknown" | "body_incomplete" | "body_too_large" | "capturable_amount_exceeded" | "card_number_refused" | "conflict" | "currency_mismatch" | "dispute_open" | "duplicate_refund" | "expected_refundable_differs" | "forbidden" | "full_after_partial" | "idempotency_key_invalid" | "idempotency_key_reused" | "idempotency_key_used" | "insufficient_scope" | "internal_error" | "invalid_json" | "invalid_request" | "items_not_refundable" | "lines_do_not_add_up" | "maximum_amount_exceeded" | "method_not_allowed" | "no_such_capture" | "not_found" | "order_ended" | "outcome_open" | "partial_refunds_disabled" | "payment_disputed" | "payment_erased" | "payment_not_waiting" | "payment_open" | "preview_outdated" | "processor_contradiction" | "reason_in_use" | "reason_not_in_catalogue" | "recipient_would_gain" | "refund_not_available" | "refund_window_closed" | "refundable_amount_exceeded" | "refunds_halted" | "self_approval" | "too_early" | "too_many_failures" | "unauthorized" | "unavailable" | "unsupported_media_type" | "velocity_exceeded" | "wrong_status";

/** An ISO 4217 code. */
export type Currency = string;

/** A decision about a refund. */
export interface Decision {
  /** Why. */
  message?: string | null;
  /** It is about the refunds, too, that were opened with this one. */
  group?: boolean | null;
}

/** One event for one endpoint. */
export interface Delivery {
  /** Also the header `webhook-id` of every attempt. */
  id: DeliveryID;
  /** Absent: it goes to a URL of the payment's own. */
  endpoint?: EndpointID;
  /** In whose words it is told. */
  door: Door;
  /** That the last attempt called. Before the first: as the endpoint had it when the event happened. */
  url: string;
  /** The event's kind. */
  kind: string;
  /** What the door calls it, where that is something else. */
  word?: string;
  payment?: PaymentID;
  refund?: RefundID;
  dispute?: DisputeID;
  order?: OrderID;
  payout?: PayoutID;
  resource?: ResourceID;
  /** The payment's, as of which it is told; 0: it is about none. */
  version: Version;
  status: DeliveryStatus;
  /** How many have been made. */
  attempts: number;
  /** When the event happened. */
  at: Time;
  /** When the first attempt was made. */
  first_at?: Time;
  ended_at?: Time;
}

/** One try to make a delivery. */
export interface DeliveryAttempt {
  /** 1, 2, … */
  number: number;
  at: Time;
  /** Milliseconds. */
  took_ms: number;
  /** Absent: no answer came. */
  status_code?: number;
  /** Why no answer came. */
  error?: string;
  /** The beginning of the answer's body. */
  answer?: string;
}

/** Names a delivery. */
export type DeliveryID = string;

/** A page of a list. */
export interface DeliveryPage {
  deliveries: Delivery[];
  /** Where to go on: the next request's `after`. Empty at the beginning of an empty list. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
}

/** Where a delivery is in its life. `canceled`: its endpoint is gone or disabled, or there is nothing left to tell. */
export type DeliveryStatus = "open" | "delivered" | "given_up" | "canceled";

/** A delivery, what it says, and every attempt to make it. */
export interface DeliveryWithAttempts {
  /** Also the header `webhook-id` of every attempt. */
  id: DeliveryID;
  /** Absent: it goes to a URL of the payment's own. */
  endpoint?: EndpointID;
  /** In whose words it is told. */
  door: Door;
  /** That the last attempt called. Before the first: as the endpoint had it when the event happened. */
  url: string;
  /** The event's kind. */
  kind: string;
  /** What the door calls it, where that is something else. */
  word?: string;
  payment?: PaymentID;
  refund?: RefundID;
  dispute?: DisputeID;
  order?: OrderID;
  payout?: PayoutID;
  resource?: ResourceID;
  /** The payment's, as of which it is told; 0: it is about none. */
  version: Version;
  status: DeliveryStatus;
  /** How many have been made. */
  attempts: number;
  /** When the event happened. */
  at: Time;
  /** When the first attempt was made. */
  first_at?: Time;
  ended_at?: Time;
  /** Oldest first. */
  attempt_list: DeliveryAttempt[];
  /** What is sent. Absent: no attempt has been made yet. */
  body?: unknown;
  /** What each attempt says anew in the body. Absent: nothing. */
  body_note?: string;
}

/** Stands for something that somebody has seen. */
export type Digest = string;

/** Why an endpoint is disabled: somebody asked for it, its receiver answered 410, or for days nothing could be delivered. */
export type DisabledFor = "asked" | "gone" | "failing";

/** A case in which the payer contests a payment. */
export interface Dispute {
  id: DisputeID;
  payment: PaymentID;
  kind: DisputeKind;
  amount: Minor;
  currency: Currency;
  status: DisputeStatus;
  reason?: string;
  /** What the processor calls the case. Absent: an operator opened it. */
  processor_ref?: string;
  /** What it took, when it opened, of what was given back or was on its way. Absent: nothing. */
  double_loss?: Minor;
  /** `true`: `double_loss` is lost twice unless the dispute is won. */
  double_loss_risk?: boolean;
  created_at: Time;
  updated_at: Time;
  version: Version;
}

/** A dispute, and what it leaves of its payment. */
export interface DisputeAnswer {
  dispute: Dispute;
  payment: PaymentTotals;
}

/** Names a dispute. */
export type DisputeID = string;

/** How serious a dispute is. An inquiry takes nothing. */
export type DisputeKind = "dispute" | "inquiry" | "pre_arbitration";

/** What became of a dispute. */
export interface DisputeMove {
  to: "challenged" | "won" | "lost" | "accepted" | "expired" | "canceled";
}

/** A page of a list. */
export interface DisputePage {
  disputes: Dispute[];
  /** Where to go on: the next request's `after`. Empty at the beginning of an empty list. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
}

/** A dispute that is recorded. */
export interface DisputeRequest {
  /** The payment's id, spelled as any front door does. */
  payment: string;
  /** In minor units; all that is left, unless it is named. */
  amount?: number;
  /** Of the payment. */
  currency?: Currency;
  /** `dispute` unless it is named. An inquiry takes nothing. */
  kind?: "dispute" | "inquiry" | "pre_arbitration" | null;
  /** Why the payer contests the payment. */
  reason?: string | null;
  /** The processor says so: it may be more than is left. */
  is_fact?: boolean | null;
  /** What the processor calls the case. */
  processor_ref?: string | null;
}

/** Where a dispute is in its life. */
export type DisputeStatus = "open" | "challenged" | "won" | "lost" | "accepted" | "expired" | "canceled";

/** A front door: `api`, or a provider's whose API Refundry speaks, as in `ping`. */
export type Door = string;

/** The ids by which each front door knows the payment, and takes it. */
export interface DoorIDs {
  /** At Smart Glocal: the session's. */
  smartglocal: string;
  /** At Pike: the session's. */
  pike: string;
  /** At Ping Payments. */
  ping: string;
  /** At CHIP: the purchase's. */
  chip: string;
  /** At Primer. Absent: it has no short id. */
  primer?: string;
}

/** A key of a front door's own kind, which has members of its own. */
export interface DoorKeyRequest {
  /** As in `project`. */
  kind: string;
}

/** Where a tenant is told what happens. */
export interface Endpoint {
  id: EndpointID;
  /** In whose words, and with whose signature and schedule, events are told. */
  door: Door;
  url: string;
  /** The kinds of event that are told; others may come. Absent: all. */
  kinds?: string[];
  /** Whether it is told nothing for now. */
  is_disabled: boolean;
  /** Why it is disabled. Absent: it is not, or that was long ago. */
  disabled_for?: DisabledFor;
  /** `true`: the webhooks of a payment come one after the other, in order. */
  is_ordered?: boolean;
  /** Absent: our own; else CloudEvents 1.0. */
  format?: "cloudevents";
  /** What another front door than ours keeps of it. */
  detail?: Record<string, unknown>;
  created_at: Time;
}

/** What is to change of a webhook endpoint. */
export interface EndpointChange {
  /** Whatever is told from now on goes there, what waits too; its health begins anew. */
  url?: string | null;
  /** The events that are told; an empty list: all. */
  kinds?: Array<"refund.created" | "refund.awaiting_approval" | "refund.approved" | "refund.scheduled" | "refund.halted" | "refund.pending" | "refund.unknown" | "refund.stuck" | "refund.needs_review" | "refund.inquired" | "refund.resent" | "refund.updated" | "refund.succeeded" | "refund.declined" | "refund.failed" | "refund.canceled" | "refund.returned" | "refund.adopted" | "payment.created" | "payment.pending" | "payment.waiting" | "payment.try_failed" | "payment.authorized" | "payment.capturing" | "payment.canceling" | "payment.captured" | "payment.capture_failed" | "payment.declined" | "payment.failed" | "payment.canceled" | "payment.expired" | "payment.items_replaced" | "payment.erased" | "dispute.open" | "dispute.double_loss_risk" | "dispute.challenged" | "dispute.won" | "dispute.lost" | "dispute.accepted" | "dispute.expired" | "dispute.canceled" | "endpoint.tried" | "batch.created" | "batch.started" | "batch.paused" | "batch.resumed" | "batch.canceled" | "batch.done" | "endpoint.disabled" | "endpoint.enabled"> | null;
  /** Whether it is told nothing for now. */
  is_disabled?: boolean | null;
  /** The webhooks of a payment come one after the other, in order. Of endpoints of our own API only. */
  is_ordered?: boolean | null;
  /** How webhooks are written. Of endpoints of our own API only. */
  format?: "plain" | "cloudevents" | null;
  /** Of endpoints of Primer only: what its webhooks say of the endpoint. */
  description?: unknown;
  /** Of endpoints of Primer only, and named together with `description`: the events that are told, by its own names for them. */
  types?: unknown;
}

/** An attempt in vain. */
export interface EndpointFailure {
  at: Time;
  /** Absent: there was no answer. */
  status_code?: number;
  /** Why there was none. */
  error?: string;
}

/** How deliveries to an endpoint go. */
export interface EndpointHealth {
  state: EndpointState;
  /** The first attempt in vain behind the last that arrived, and behind the last time it was enabled. */
  failing_since?: Time;
  /** The last attempt that arrived. */
  last_success_at?: Time;
  /** The last attempt in vain. */
  last_failure?: EndpointFailure;
  /** Deliveries that wait for an attempt; no more than 1,000 are counted. */
  waiting: number;
  /** When the first of these is due. */
  next_attempt_at?: Time;
  /** How many of the last deliveries were looked at, at most 100; of them: */
  deliveries: number;
  delivered: number;
  /** They are open, and have failed before. */
  failing: number;
  given_up: number;
}

/** Names a webhook endpoint. */
export type EndpointID = string;

/** A whole list. */
export interface EndpointList {
  endpoints: Endpoint[];
}

/** A webhook endpoint that is added. */
export interface EndpointRequest {
  /** http:// or https://, without user, password or fragment. */
  url: string;
  /** The events that are told; all, unless they are named. */
  kinds?: Array<"refund.created" | "refund.awaiting_approval" | "refund.approved" | "refund.scheduled" | "refund.halted" | "refund.pending" | "refund.unknown" | "refund.stuck" | "refund.needs_review" | "refund.inquired" | "refund.resent" | "refund.updated" | "refund.succeeded" | "refund.declined" | "refund.failed" | "refund.canceled" | "refund.returned" | "refund.adopted" | "payment.created" | "payment.pending" | "payment.waiting" | "payment.try_failed" | "payment.authorized" | "payment.capturing" | "payment.canceling" | "payment.captured" | "payment.capture_failed" | "payment.declined" | "payment.failed" | "payment.canceled" | "payment.expired" | "payment.items_replaced" | "payment.erased" | "dispute.open" | "dispute.double_loss_risk" | "dispute.challenged" | "dispute.won" | "dispute.lost" | "dispute.accepted" | "dispute.expired" | "dispute.canceled" | "endpoint.tried" | "batch.created" | "batch.started" | "batch.paused" | "batch.resumed" | "batch.canceled" | "batch.done" | "endpoint.disabled" | "endpoint.enabled"> | null;
  /** In whose words events are told; `api` unless it is named. */
  door?: string | null;
  /** `whsec_` and Base64 of 24 to 64 bytes; a fresh one, unless it is named. */
  secret?: string | null;
  /** The webhooks of a payment come one after the other, in order. Of endpoints of our own API only. */
  is_ordered?: boolean | null;
  /** How webhooks are written. Of endpoints of our own API only. */
  format?: "plain" | "cloudevents" | null;
  /** Of endpoints of Primer only: what its webhooks say of the endpoint. */
  description?: unknown;
  /** Of endpoints of Primer only, and named together with `description`: the events that are told, by its own names for them. */
  types?: unknown;
}

/** `failing`: every attempt since `failing_since` was in vain. */
export type EndpointState = "healthy" | "failing" | "disabled";

/** An endpoint, and by what a receiver knows that we have called. */
export interface EndpointWithKey {
  id: EndpointID;
  /** In whose words, and with whose signature and schedule, events are told. */
  door: Door;
  url: string;
  /** The kinds of event that are told; others may come. Absent: all. */
  kinds?: string[];
  /** Whether it is told nothing for now. */
  is_disabled: boolean;
  /** Why it is disabled. Absent: it is not, or that was long ago. */
  disabled_for?: DisabledFor;
  /** `true`: the webhooks of a payment come one after the other, in order. */
  is_ordered?: boolean;
  /** Absent: our own; else CloudEvents 1.0. */
  format?: "cloudevents";
  /** What another front door than ours keeps of it. */
  detail?: Record<string, unknown>;
  created_at: Time;
  /** Verifies the `v1a` signatures (Ed25519). Absent: the door signs with keys of its own. */
  public_key?: string;
  health: EndpointHealth;
}

/** An endpoint, and what its deliveries are signed with. */
export interface EndpointWithSecret {
  id: EndpointID;
  /** In whose words, and with whose signature and schedule, events are told. */
  door: Door;
  url: string;
  /** The kinds of event that are told; others may come. Absent: all. */
  kinds?: string[];
  /** Whether it is told nothing for now. */
  is_disabled: boolean;
  /** Why it is disabled. Absent: it is not, or that was long ago. */
  disabled_for?: DisabledFor;
  /** `true`: the webhooks of a payment come one after the other, in order. */
  is_ordered?: boolean;
  /** Absent: our own; else CloudEvents 1.0. */
  format?: "cloudevents";
  /** What another front door than ours keeps of it. */
  detail?: Record<string, unknown>;
  created_at: Time;
  /** Verifies the `v1a` signatures (Ed25519). Absent: the door signs with keys of its own. */
  public_key?: string;
  /** Shown this once. Absent: the door signs with a key of its own. */
  secret?: string;
  /** The secret before it signs too, until then. */
  previous_until?: Time;
}

/** Everything that one business event did to the books. */
export interface Entry {
  /** The business event. */
  cause: string;
  /** That moved. Absent: the payment itself. */
  refund?: RefundID;
  /** That moved. */
  dispute?: DisputeID;
  version: Version;
  at: Time;
  postings: Posting[];
}

/** A whole list. */
export interface EntryList {
  entries: Entry[];
}

/** A page of a list. */
export interface EntryPage {
  entries: BookedEntry[];
  /** Where to go on: the next request's `after`. Empty at the beginning of an empty list. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
}

/** A person who was erased. */
export interface Erasure {
  person: PersonID;
}

/** A person who is erased: by name, or by the id that the trail shows. */
export type ErasureRequest = {
  /** As the header `Refundry-User` has named the person. */
  user?: string;
  /** The person's id. */
  person?: string;
} & ({ user: string } | { person: string });

/** A fact that happened. It names things; read them to see them. */
export interface Event {
  /** The event's place in the feed. */
  cursor: string;
  /** What happened. New kinds may come: leave alone what you do not know. */
  kind: string;
  /** The payment that it is about. */
  payment?: PaymentID;
  refund?: RefundID;
  dispute?: DisputeID;
  order?: OrderID;
  payout?: PayoutID;
  batch?: BatchID;
  resource?: ResourceID;
  endpoint?: EndpointID;
  key?: KeyID;
  tenant?: TenantID;
  person?: PersonID;
  /** The payment's, when it happened; else the order's, the batch's or the tenant's. */
  version?: Version;
  at: Time;
  /** Who did it: `key:…`, `operator:…`, or a part of Refundry. */
  actor: string;
  /** Where it was asked for. */
  door?: Door;
  /** The request that asked for it. */
  request_id?: string;
  /** What a change of settings changed. */
  detail?: Record<string, unknown>;
}

/** A page of a list. */
export interface EventPage {
  events: Event[];
  /** Where to go on: the next request's `after`. Empty at the beginning of an empty list. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
}

/** Why a person has said what became of a refund. */
export interface Evidence {
  actor: string;
  /** On whose behalf. Absent: nobody was named, or the person was erased. */
  user?: string;
  /** Of the same person. */
  person?: PersonID;
  note: string;
  at: Time;
}

/** What of a payment is gone, or may go. */
export interface Exposure {
  /** Taken so far. */
  captured: Minor;
  /** Given back. */
  refunded: Minor;
  /** Claimed by refunds on their way. */
  reserved: Minor;
  /** Taken by disputes that are open or lost. */
  disputed: Minor;
  /** The last three together. */
  total: Minor;
  /** What of `total` is lost twice, unless a dispute is won: it was given back, and a dispute took it too. */
  double_loss: Minor;
}

/** Why a refund did not happen. */
export interface Failure {
  code?: string;
  message?: string;
  /** The processor's own. */
  processor_code?: string;
  /** Whether a new refund may work. */
  retryable: boolean;
}

/** What a payment waits for. */
export type Gate = "payer" | "confirmation" | "capture";

/** Names refunds that one request has opened together. */
export type GroupID = string;

/** What came of a line. */
export interface ImportAnswer {
  /** 1, 2, …; empty lines count too. */
  line: number;
  /** Of the payment. */
  id?: PaymentID;
  /** `true`: it was imported before. */
  replayed?: boolean;
  /** Why nothing was imported. */
  error?: Problem;
}

/** A payment that was made elsewhere, before Refundry. */
export interface ImportLine {
  /** What was paid, in minor units. */
  amount: number;
  currency: Currency;
  /** `captured` unless it is named. */
  status?: "captured" | "authorized" | null;
  /** What you call it. */
  reference?: string | null;
  /** Who was paid; `main` unless it is named. */
  merchant?: string | null;
  /** What it was paid with; never a card number. */
  method?: {
    type?: string | null;
    brand?: string | null;
    /** The last four digits. */
    last4?: string | null;
  } | null;
  /** Of the payer: an ISO 3166 code of two upper-case letters. */
  country?: string | null;
  /** What you call the payer. */
  payer?: string | null;
  description?: string | null;
  /** Lines of what was bought. They add up to the amount. */
  items?: ItemRequest[];
  /** An object of the caller's own, of at most 16 KiB. */
  metadata?: Record<string, unknown> | null;
  /** What the processor calls it. No two payments of a connector have the same: what was taken once can be refunded once. */
  processor_ref?: string | null;
  /** Through which it was taken, and refunds go back; the server's first, unless it is named. */
  connector?: string | null;
  /** Now, unless it is named. Of a captured payment only. */
  captured_at?: string | null;
  /** The time of capture, unless it is named. */
  created_at?: string | null;
  /** Your name of the line; all of the line, unless it is named. */
  id?: string | null;
  /** The front door that it was made at; `api` unless it is named. */
  home?: string | null;
  /** Ids that it has elsewhere. */
  aliases?: Alias[];
  /** Its home's own: what it calls the session. */
  session?: unknown;
  /** Its home's own: what it calls the payment. */
  payment_id?: unknown;
  /** Its home's own document about it. */
  document?: unknown;
}

/** A line of what was bought. */
export interface Item {
  /** How a refund names it: 1, 2, …; another list goes on counting. */
  position: number;
  name: string;
  quantity: number;
  /** Of one unit. */
  unit_amount: Minor;
  /** In percent, as it was given. */
  tax_rate?: string;
  /** The part of the total that is tax. */
  tax: Minor;
  /** Of the line. */
  total: Minor;
  /** What is left of the line. */
  refundable: Minor;
  /** Who is paid for it. Absent: the payment's merchant. */
  merchant?: string;
  /** What the caller has sent. */
  metadata?: Record<string, unknown>;
  tags?: string[];
}

/** Units of one line item. */
export interface ItemAsk {
  /** The item's position. */
  position: number;
  /** How many units. */
  quantity: number;
}

/** What refunds have left of a line item. */
export interface ItemLeft {
  /** How a refund names it. */
  position: number;
  /** Units that nobody has named. */
  quantity: number;
  /** What is left of the line. */
  refundable: Minor;
  /** The part of `refundable` that is tax. */
  tax: Minor;
}

/** A line of what was bought. */
export interface ItemRequest {
  name: string;
  /** 1 unless it is named. */
  quantity?: number;
  /** Of one unit, in minor units. */
  unit_amount: number;
  /** In percent, as a text of yours. */
  tax_rate?: string | null;
  /** The part of the total that is tax; 0 unless it is named. */
  tax?: number;
  /** Of the line; quantity × unit unless it is named. */
  total?: number;
  /** Who is paid for the line; the payment's, unless it is named. */
  merchant?: string | null;
  /** An object of the caller's own, of at most 16 KiB. */
  metadata?: Record<string, unknown> | null;
  tags?: string[] | null;
}

/** How a caller proves who it is. */
export interface Key {
  id: KeyID;
  /** `api_key`, or a front door's own kind. */
  kind: string;
  /** For people. */
  name?: string;
  /** By what a front door knows it. */
  lookup?: string;
  /** What a key of our own API may do. Absent: everything. */
  scopes?: Scope[];
  /** What is not secret of a front door's own kind. */
  public?: unknown;
  created_at: Time;
  /** Absent: it is valid. */
  revoked_at?: Time;
  /** The beginning of the UTC day on which somebody last proved to hold it. Absent: never since this is noted, or it is one of ours. */
  last_used_at?: Time;
}

/** What is to change of a key. */
export interface KeyChange {
  /** For people. */
  name?: string | null;
  /** What it may do, instead of what it may now. Of keys of our own API only. */
  scopes?: Scope[] | null;
}

/** Names a key. */
export type KeyID = string;

/** A whole list. */
export interface KeyList {
  keys: Key[];
}

/** A key that is made. */
export type KeyRequest = APIKeyRequest | DoorKeyRequest;

/** What an Idempotency-Key was used for. */
export interface KeyUsed {
  /** The first request was about this payment, or made it. */
  payment?: PaymentID;
  /** The first request was about this refund, or made it. */
  refund?: RefundID;
  /** The first request was about this dispute, or made it. */
  dispute?: DisputeID;
  /** When it was first used. */
  at: Time;
  /** Stands for what the first request asked for. */
  first_fingerprint: string;
  /** Stands for what this request asks for. */
  fingerprint: string;
}

/** A key, and what its owner is told this once. Front doors' own kinds have other members. */
export interface KeyWithSecret {
  id: KeyID;
  /** `api_key`, or a front door's own kind. */
  kind: string;
  /** For people. */
  name?: string;
  /** By what a front door knows it. */
  lookup?: string;
  /** What a key of our own API may do. Absent: everything. */
  scopes?: Scope[];
  /** What is not secret of a front door's own kind. */
  public?: unknown;
  created_at: Time;
  /** Absent: it is valid. */
  revoked_at?: Time;
  /** The beginning of the UTC day on which somebody last proved to hold it. Absent: never since this is noted, or it is one of ours. */
  last_used_at?: Time;
  /** Of our own API. */
  key?: string;
}

/** An account that has been used. */
export interface LedgerAccount {
  account: Account;
  kind: AccountKind;
  /** The kind, in words. */
  purpose: string;
  /** Where its balance usually is: above zero on the debit side, below on the credit side. */
  normal_side: Side;
  /** In which it has been used. */
  currencies: Currency[];
}

/** What it was paid with. */
export interface Method {
  type?: string;
  brand?: string;
  /** The last four digits. */
  last4?: string;
}

/** A whole number of the currency's minor units: EUR 12.34 is 1234, JPY 500 is 500. */
export type Minor = number;

/** It has no members. */
export type NudgeRequest = Record<string, never>;

/** A refund that was asked for. Where the processor refunds captures, a request that reaches over several becomes one refund for each: this is the first. */
export interface OpenedRefund {
  id: RefundID;
  payment: PaymentID;
  amount: Minor;
  currency: Currency;
  status: RefundStatus;
  pending_reason?: PendingReason;
  /** Why the money goes back. */
  reason?: string;
  /** For the merchant's own records. */
  note?: string;
  /** For the payer. */
  message?: string;
  /** What the merchant calls the refund. */
  reference?: string;
  /** What the merchant calls the order. */
  order_reference?: string;
  /** What the caller has sent. */
  metadata?: Record<string, unknown>;
  /** How the amount falls on line items. Absent: the payment has none. */
  items?: RefundLine[];
  source: RefundSource;
  /** The front door that asked for it. */
  door: Door;
  /** On whose behalf it was asked for. Absent: nobody was named, or the person was erased. */
  user?: string;
  /** Of the same person. Absent: nobody was named. */
  person?: PersonID;
  /** Of refunds that were opened together. Absent: it was opened alone. */
  group?: GroupID;
  /** Which asked for it. Absent: it was asked for alone, or before batches were noted. */
  batch?: BatchID;
  /** The number of the batch's row. */
  batch_row?: number;
  /** Which it gives back. Absent: it names none. */
  capture?: CaptureID;
  /** It waits until then. */
  not_before?: Time;
  /** When it left. Absent: it has not, and can be canceled. */
  submitted_at?: Time;
  /** When it should have arrived. Absent: it has not left, or nobody says. */
  expected_by?: Time;
  /** `true`: it is on its way for longer than expected. */
  is_stuck?: boolean;
  /** When it reached its outcome. */
  ended_at?: Time;
  /** Why it did not happen. */
  failure?: Failure;
  /** What others call it. */
  references?: Reference[];
  /** `refund` or `void`, once the processor has said. */
  executed_as?: string;
  /** It gives back once more what that one did not. */
  retry_of?: RefundID;
  /** That one was taken for failed, and had succeeded. */
  corrects?: RefundID;
  /** How many must agree. */
  approvals_needed?: number;
  /** Of what it asks for: who approves it says which digest was seen. */
  digest?: Digest;
  /** Without enough approvals by then it is canceled. */
  expires_at?: Time;
  approvals?: Approval[];
  /** Absent: no person had to. */
  evidence?: Evidence[];
  /** `true`: its outcome is still not known, and a person must look. */
  needs_review?: boolean;
  created_at: Time;
  updated_at: Time;
  version: Version;
  /** The other refunds that the request has opened. Absent: none, or nobody has asked. */
  group_refunds?: RefundID[];
}

/** Names what a front door groups payments by. */
export type OrderID = string;

/** What a payer agreed to hand to a merchant, and what has become of it. */
export interface Payment {
  id: PaymentID;
  ids: DoorIDs;
  status: PaymentStatus;
  waiting_for?: Gate;
  /** What was agreed. */
  amount: Minor;
  currency: Currency;
  /** Taken so far. */
  captured: Minor;
  /** Given back. */
  refunded: Minor;
  /** Claimed by refunds on their way. */
  reserved: Minor;
  /** Taken by disputes that are open or lost. */
  disputed: Minor;
  /** What facts from outside took beyond what was captured. Absent: nothing. */
  excess?: Minor;
  /** What a refund may still ask for. */
  refundable: Minor;
  /** What the merchant calls it. */
  reference?: string;
  /** Who was paid. */
  merchant: string;
  method?: Method;
  /** Of the payer (ISO 3166). */
  country?: string;
  /** What the merchant calls the payer. */
  payer?: string;
  description?: string;
  /** Lines of what was bought. Absent: not known. */
  items?: Item[];
  /** What the caller has sent. */
  metadata?: Record<string, unknown>;
  /** The front door that it was made at. */
  home: Door;
  order?: OrderID;
  /** Through which it was taken, and refunds go back. */
  connector?: string;
  /** What the processor calls it. */
  processor_ref?: string;
  /** What others call it. */
  references?: Reference[];
  /** Oldest first. Absent: nothing was captured, or is being. */
  captures?: Capture[];
  /** Oldest first. */
  refunds: RefundInShort[];
  /** Oldest first. Absent: none. */
  disputes?: Dispute[];
  /** When money was first taken. Absent: never. */
  captured_at?: Time;
  /** When what is personal about it was erased. Absent: it was not. */
  erased_at?: Time;
  created_at: Time;
  updated_at: Time;
  version: Version;
}

/** Names a payment. */
export type PaymentID = string;

/** A page of a list. */
export interface PaymentPage {
  payments: Payment[];
  /** Where to go on: the next request's `after`. Empty at the beginning of an empty list. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
}

/** A payment that was made elsewhere. */
export interface PaymentRequest {
  /** What was paid, in minor units. */
  amount: number;
  currency: Currency;
  /** `captured` unless it is named. */
  status?: "captured" | "authorized" | null;
  /** What you call it. */
  reference?: string | null;
  /** Who was paid; `main` unless it is named. */
  merchant?: string | null;
  /** What it was paid with; never a card number. */
  method?: {
    type?: string | null;
    brand?: string | null;
    /** The last four digits. */
    last4?: string | null;
  } | null;
  /** Of the payer: an ISO 3166 code of two upper-case letters. */
  country?: string | null;
  /** What you call the payer. */
  payer?: string | null;
  description?: string | null;
  /** Lines of what was bought. They add up to the amount. */
  items?: ItemRequest[];
  /** An object of the caller's own, of at most 16 KiB. */
  metadata?: Record<string, unknown> | null;
  /** What the processor calls it. No two payments of a connector have the same: what was taken once can be refunded once. */
  processor_ref?: string | null;
  /** Through which it was taken, and refunds go back; the server's first, unless it is named. */
  connector?: string | null;
  /** Now, unless it is named. Of a captured payment only. */
  captured_at?: string | null;
  /** The time of capture, unless it is named. */
  created_at?: string | null;
}

/** Where a payment is in its life. A refund never changes it. */
export type PaymentStatus = "created" | "pending" | "authorized" | "captured" | "declined" | "failed" | "canceled" | "expired";

/** The sums of a payment. */
export interface PaymentTotals {
  id: PaymentID;
  captured: Minor;
  refunded: Minor;
  reserved: Minor;
  disputed: Minor;
  excess?: Minor;
  refundable: Minor;
}

/** Names what a recipient of a settled order is paid. */
export type PayoutID = string;

/** Why a refund has not ended. `approval`: somebody must agree. `scheduled`: it waits for its time. `halted`: a policy has stopped refunds. `not_sent`: it has not left yet. `processor`: the processor has it. `outcome_unknown`: it left, and we ask until we know. */
export type PendingReason = "approval" | "scheduled" | "halted" | "not_sent" | "processor" | "outcome_unknown";

/** Names a person on whose behalf keys call. It follows from the name. */
export type PersonID = string;

/** One amount from one account to another. */
export interface Posting {
  /** Receives the amount. */
  debit: Account;
  /** Gives the amount. */
  credit: Account;
  amount: Minor;
  currency: Currency;
}

/** What a refund would do. */
export interface Preview {
  payment: PaymentID;
  /** Whether it would be accepted. */
  is_allowed: boolean;
  /** The Idempotency-Key was used for the same request: it would be answered with this refund once more, whose numbers these are, and nothing would be opened. */
  replays?: RefundID;
  /** The first rule that would say no: the numbers are those that it says no to. */
  refusal?: Refusal;
  /** What the Idempotency-Key was used for before, if that is what says no. */
  key_used?: KeyUsed;
  /** What would go back. */
  amount: Minor;
  /** The part of it that is tax, as far as line items are known. */
  tax: Minor;
  currency: Currency;
  /** One; or one for each capture, where the processor refunds captures. */
  refunds: PreviewedRefund[];
  /** How many must agree; 0: nobody. */
  approvals_needed: number;
  /** It would wait until then, and could be canceled. Absent: it would leave at once. */
  not_before?: Time;
  /** What would be left of the payment. */
  refundable: Minor;
  /** Binds a refund to these numbers. Absent: it would be refused, or nothing would be opened. */
  preview_token?: string;
}

/** A refund that would be opened. */
export interface PreviewedRefund {
  amount: Minor;
  /** In which it would begin. */
  status: RefundStatus;
  /** Which it would give back. Absent: it names none. */
  capture?: CaptureID;
  /** How the amount falls on line items. Absent: the payment has none. */
  items?: RefundLine[];
}

/** An answer that says no (RFC 9457). It never repeats what was sent. */
export interface Problem {
  /** The page that explains the code. */
  type: string;
  /** The code, in a few words. */
  title: string;
  /** The answer's status. */
  status: number;
  /** Branch on this: it never changes. */
  code: Code;
  /** What is wrong this time, for people. */
  detail: string;
  /** Whether the same request may succeed later, unchanged. */
  retryable: boolean;
  /** What is left to refund. */
  refundable?: Minor;
  /** What is authorized and not captured. */
  capturable?: Minor;
  /** Of `refundable` or `capturable`. */
  currency?: Currency;
  /** From when it would be possible. */
  from?: Time;
  /** What the Idempotency-Key was used for before. */
  key_used?: KeyUsed;
  /** Those that stand in the way. */
  refunds?: RefundID[];
  /** What is wrong with the request, at most 20 things. */
  errors?: Wrong[];
}

/** A reason that a refund may have. */
export interface Reason {
  /** What a refund names. */
  code: string;
  /** What people read. Absent: the code says it. */
  title?: string;
  /** Absent: nobody has said. */
  doors?: ReasonWords;
  /** Front doors at which a refund has it where nothing says another. Absent: none. */
  default_at?: string[];
  /** Whether only refunds have it that had it before: no other may take it. */
  is_retired: boolean;
}

/** The reasons that refunds may have. */
export interface ReasonCatalogue {
  /** Whether a refund must have a reason. */
  is_required: boolean;
  /** In their order. Empty: any reason is taken. */
  reasons: Reason[];
}

/** A reason that a refund may have. */
export interface ReasonRequest {
  /** What a refund names. No two have the same. */
  code: string;
  /** What people read. */
  title?: string | null;
  /** What front doors call it that have words of their own. Of reasons that a door calls alike, what it asks for has the first. */
  doors?: {
    /** One of `fraudulent`, `requested_by_customer`, `other`, or of the setting `ping.extra_reasons`. */
    ping?: string | null;
    /** A text. */
    primer?: string | null;
  } | null;
  /** Front doors at which a refund has it where nothing says another: that say nothing of reasons, or whose word is no reason's. */
  default_at?: string[] | null;
  /** Whether no other refund may take it. */
  is_retired?: boolean | null;
}

/** What front doors call it that have words of their own. */
export interface ReasonWords {
  /** One of `fraudulent`, `requested_by_customer`, `other`, or of the setting `ping.extra_reasons`. */
  ping?: string;
  /** A text. */
  primer?: string;
}

/** A catalogue of reasons. */
export interface ReasonsRequest {
  /** All of it, in its order; none: any reason is taken. */
  reasons: ReasonRequest[];
  /** Whether a refund must have a reason. Absent: as before. */
  is_required?: boolean | null;
}

/** How another party calls something: an ARN, an RRN, a code. */
export interface Reference {
  kind: string;
  value: string;
}

/** How another party calls something. */
export interface ReferenceRequest {
  /** As in `arn`, `rrn`, `fps`. */
  kind: string;
  value: string;
}

/** Captured money on its way back to the payer. */
export interface Refund {
  id: RefundID;
  payment: PaymentID;
  amount: Minor;
  currency: Currency;
  status: RefundStatus;
  pending_reason?: PendingReason;
  /** Why the money goes back. */
  reason?: string;
  /** For the merchant's own records. */
  note?: string;
  /** For the payer. */
  message?: string;
  /** What the merchant calls the refund. */
  reference?: string;
  /** What the merchant calls the order. */
  order_reference?: string;
  /** What the caller has sent. */
  metadata?: Record<string, unknown>;
  /** How the amount falls on line items. Absent: the payment has none. */
  items?: RefundLine[];
  source: RefundSource;
  /** The front door that asked for it. */
  door: Door;
  /** On whose behalf it was asked for. Absent: nobody was named, or the person was erased. */
  user?: string;
  /** Of the same person. Absent: nobody was named. */
  person?: PersonID;
  /** Of refunds that were opened together. Absent: it was opened alone. */
  group?: GroupID;
  /** Which asked for it. Absent: it was asked for alone, or before batches were noted. */
  batch?: BatchID;
  /** The number of the batch's row. */
  batch_row?: number;
  /** Which it gives back. Absent: it names none. */
  capture?: CaptureID;
  /** It waits until then. */
  not_before?: Time;
  /** When it left. Absent: it has not, and can be canceled. */
  submitted_at?: Time;
  /** When it should have arrived. Absent: it has not left, or nobody says. */
  expected_by?: Time;
  /** `true`: it is on its way for longer than expected. */
  is_stuck?: boolean;
  /** When it reached its outcome. */
  ended_at?: Time;
  /** Why it did not happen. */
  failure?: Failure;
  /** What others call it. */
  references?: Reference[];
  /** `refund` or `void`, once the processor has said. */
  executed_as?: string;
  /** It gives back once more what that one did not. */
  retry_of?: RefundID;
  /** That one was taken for failed, and had succeeded. */
  corrects?: RefundID;
  /** How many must agree. */
  approvals_needed?: number;
  /** Of what it asks for: who approves it says which digest was seen. */
  digest?: Digest;
  /** Without enough approvals by then it is canceled. */
  expires_at?: Time;
  approvals?: Approval[];
  /** Absent: no person had to. */
  evidence?: Evidence[];
  /** `true`: its outcome is still not known, and a person must look. */
  needs_review?: boolean;
  created_at: Time;
  updated_at: Time;
  version: Version;
}

/** Names a refund. */
export type RefundID = string;

/** A refund of a payment. */
export interface RefundInShort {
  id: RefundID;
  amount: Minor;
  status: RefundStatus;
  created_at: Time;
}

/** The part of a refund that falls on one line item. */
export interface RefundLine {
  position: number;
  /** Absent: the refund named an amount. */
  quantity?: number;
  amount: Minor;
  /** The part of the amount that is tax. */
  tax: Minor;
  /** Who pays for it. Absent: the payment's merchant. */
  merchant?: string;
}

/** A refund as it is now. */
export interface RefundNow {
  id: RefundID;
  payment: PaymentID;
  amount: Minor;
  currency: Currency;
  status: RefundStatus;
  pending_reason?: PendingReason;
  /** Why the money goes back. */
  reason?: string;
  /** For the merchant's own records. */
  note?: string;
  /** For the payer. */
  message?: string;
  /** What the merchant calls the refund. */
  reference?: string;
  /** What the merchant calls the order. */
  order_reference?: string;
  /** What the caller has sent. */
  metadata?: Record<string, unknown>;
  /** How the amount falls on line items. Absent: the payment has none. */
  items?: RefundLine[];
  source: RefundSource;
  /** The front door that asked for it. */
  door: Door;
  /** On whose behalf it was asked for. Absent: nobody was named, or the person was erased. */
  user?: string;
  /** Of the same person. Absent: nobody was named. */
  person?: PersonID;
  /** Of refunds that were opened together. Absent: it was opened alone. */
  group?: GroupID;
  /** Which asked for it. Absent: it was asked for alone, or before batches were noted. */
  batch?: BatchID;
  /** The number of the batch's row. */
  batch_row?: number;
  /** Which it gives back. Absent: it names none. */
  capture?: CaptureID;
  /** It waits until then. */
  not_before?: Time;
  /** When it left. Absent: it has not, and can be canceled. */
  submitted_at?: Time;
  /** When it should have arrived. Absent: it has not left, or nobody says. */
  expected_by?: Time;
  /** `true`: it is on its way for longer than expected. */
  is_stuck?: boolean;
  /** When it reached its outcome. */
  ended_at?: Time;
  /** Why it did not happen. */
  failure?: Failure;
  /** What others call it. */
  references?: Reference[];
  /** `refund` or `void`, once the processor has said. */
  executed_as?: string;
  /** It gives back once more what that one did not. */
  retry_of?: RefundID;
  /** That one was taken for failed, and had succeeded. */
  corrects?: RefundID;
  /** How many must agree. */
  approvals_needed?: number;
  /** Of what it asks for: who approves it says which digest was seen. */
  digest?: Digest;
  /** Without enough approvals by then it is canceled. */
  expires_at?: Time;
  approvals?: Approval[];
  /** Absent: no person had to. */
  evidence?: Evidence[];
  /** `true`: its outcome is still not known, and a person must look. */
  needs_review?: boolean;
  created_at: Time;
  updated_at: Time;
  version: Version;
  /** How long it is on its way, or was until it ended. */
  age_seconds: number;
}

/** A page of a list. */
export interface RefundPage {
  refunds: RefundNow[];
  /** Where to go on: the next request's `after`. Empty at the beginning of an empty list. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
  /** By currency and status, over all that the filters let through. Absent: nobody asked. */
  totals?: RefundTotal[];
}

/** A refund that is asked for. Exactly one of `amount`, `items` and `full` says how much. */
export type RefundRequest = {
  /** The payment's id. */
  payment: string;
  /** In minor units, with the `currency`. */
  amount?: number;
  /** Of the payment. It must be there with an `amount`. */
  currency?: Currency;
  /** Units of line items. */
  items?: ItemAsk[];
  /** All that is left. */
  full?: true;
  /** Why the money goes back. */
  reason?: string | null;
  /** For your own records. */
  note?: string | null;
  /** For the payer. */
  message?: string | null;
  /** What you call the refund. */
  reference?: string | null;
  /** An object of the caller's own, of at most 16 KiB. */
  metadata?: Record<string, unknown> | null;
  /** What you call the order. */
  order_reference?: string | null;
  /** What you believe is left: a guard. The refund is refused if something else is. */
  expected_refundable?: number;
  /** It waits until then, and can be canceled meanwhile. */
  not_before?: string | null;
  /** Gives back this capture, and no other. */
  capture?: string | null;
  /** A refund of the payment that ended without money moving: this one takes its place. */
  retry_of?: string | null;
  /** An equal refund a moment before is no mistake. */
  allow_duplicate?: boolean | null;
  /** Of a preview: the refund is refused if it would do something else. */
  preview_token?: string;
} & ({ amount: number } | { items: ItemAsk[] } | { full: true });

/** Where a refund came from. */
export type RefundSource = "api" | "dialect" | "console" | "bulk" | "adopted" | "alert";

/** Where a refund is in its life. `unknown`: it left, and its outcome is not known yet; we ask until it is. `declined`, `failed`, `canceled`, `returned`: the amount is refundable again. */
export type RefundStatus = "awaiting_approval" | "scheduled" | "pending" | "unknown" | "succeeded" | "declined" | "failed" | "canceled" | "returned";

/** Refunds of one currency and status. */
export interface RefundTotal {
  currency: Currency;
  status: RefundStatus;
  /** How many. */
  count: number;
  /** What they come to, in minor units. */
  amount: number;
}

/** What one refund of a payment may ask for now, and why no more. */
export interface Refundability {
  payment: PaymentID;
  currency: Currency;
  /** The most that one refund may ask for; 0: nothing. */
  max: Minor;
  /** The least that one refund may ask for. */
  min: Minor;
  /** Each rule that says no to every refund now. Empty: none does. */
  refusals: Refusal[];
  /** When refunds may leave. Absent: now. */
  earliest_at?: Time;
  /** After this it is too late. Absent: it never is. */
  latest_at?: Time;
  /** Whether a dispute is open, or has taken something. */
  is_disputed: boolean;
  exposure: Exposure;
  /** Oldest first. Absent: nothing was taken. */
  captures?: CaptureLeft[];
  /** In their order. Absent: the payment has none. */
  items?: ItemLeft[];
}

/** A rule's no. */
export interface Refusal {
  /** As an error would have it. */
  code: Code;
  /** For people. */
  detail: string;
  /** Whether the same request may succeed later, unchanged. */
  retryable: boolean;
  /** What may be asked for instead. */
  refundable?: Minor;
  /** From when it would be possible. */
  from?: Time;
}

/** A no to a refund that waits for approval. */
export interface RejectionRequest {
  /** Why. */
  message?: string | null;
  /** Of the refund, as it was seen. */
  digest?: string | null;
}

/** A part of the feed. */
export interface ReplayRequest {
  /** Events behind this cursor; all, unless it is named. */
  after?: string | null;
  /** Of these, those that happened at this time or later. */
  from?: string | null;
  /** Of these, those that happened before this time; up to now, unless it is named. */
  until?: string | null;
  /** Only events of which no delivery to this endpoint has arrived or is on its way. */
  only_missed?: boolean | null;
  /** How many events are read at the most; 10,000, unless it is named. */
  limit?: number;
}

/** What a replay came to. */
export interface Replayed {
  /** How many were made. */
  deliveries: number;
  /** The oldest of them: `GET /v1/deliveries` lists them with it as `since`, and this endpoint. Absent: none was made. */
  first?: DeliveryID;
  /** Where the next request goes on: its `after`. */
  next: string;
  /** Whether there is more now. */
  has_more: boolean;
}

/** A report that can be written. */
export interface Report {
  name: string;
  /** What it is about. */
  holds: string;
  formats: ReportFormat[];
  /** Which of `from` and `to` it takes. */
  parameters: string[];
  /** In their order. */
  columns: ReportColumn[];
}

/** A column of a report. */
export interface ReportColumn {
  name: string;
  kind: ReportColumnKind;
  doc?: string;
}

/** What a column holds. `text` is somebody's words, `word` one of ours, `number` is whole, `decimal` an amount in major units with the currency's decimals, `time` RFC 3339 in UTC. */
export type ReportColumnKind = "text" | "word" | "number" | "decimal" | "time" | "flag";

/** `csv` is RFC 4180, `ndjson` a line of JSON for each row. */
export type ReportFormat = "csv" | "ndjson";

/** A whole list. */
export interface ReportList {
  reports: Report[];
}

/** A row of a report: its members are the report's columns. What is not there is null. */
export type ReportRow = Record<string, unknown>;

/** Names a front door's own thing. */
export type ResourceID = string;

/** What is to be otherwise than with the refund that is retried. */
export interface RetryRequest {
  /** In minor units, with the `currency`. */
  amount?: number;
  /** Of the payment. It must be there with an `amount`. */
  currency?: Currency;
  /** Units of line items. */
  items?: ItemAsk[];
  /** All that is left. */
  full?: true;
  /** Why the money goes back. */
  reason?: string | null;
  /** For your own records. */
  note?: string | null;
  /** For the payer. */
  message?: string | null;
  /** What you call the refund. */
  reference?: string | null;
  /** An object of the caller's own, of at most 16 KiB. */
  metadata?: Record<string, unknown> | null;
  /** What you call the order. */
  order_reference?: string | null;
  /** What you believe is left: a guard. The refund is refused if something else is. */
  expected_refundable?: number;
  /** It waits until then, and can be canceled meanwhile. */
  not_before?: string | null;
  /** Gives back this capture, and no other. */
  capture?: string | null;
  /** An equal refund a moment before is no mistake. */
  allow_duplicate?: boolean | null;
  /** Of a preview: the refund is refused if it would do something else. */
  preview_token?: string;
}

/** How a secret is rotated. */
export interface RotateRequest {
  /** How long the old secret signs too; a day, unless it is named. */
  overlap_seconds?: number;
}

/** A SHA-256 digest, in hexadecimal. */
export type SHA256 = string;

/** What a key may do. */
export type Scope = "payments:read" | "payments:write" | "payments:erase" | "refunds:read" | "refunds:write" | "refunds:approve" | "disputes:read" | "events:read" | "ledger:read" | "reports:read" | "endpoints:read" | "endpoints:write" | "deliveries:read" | "deliveries:write" | "audit:read";

/** What a tenant may change. */
export interface Setting {
  name: string;
  /** What it takes. */
  type: "boolean" | "integer" | "string" | "strings";
  /** What a number counts. Absent: things. */
  unit?: "days" | "hours" | "minutes" | "seconds" | "minor_units";
  /** The least that a number may be. */
  minimum?: number;
  /** The most that it may be. Absent: no limit. */
  maximum?: number;
  value: SettingValue;
  default: SettingValue;
  /** Whether the tenant has not chosen. */
  is_default: boolean;
  /** What it does. */
  doc: string;
  /** What it may be set to. Absent: anything of the default's type. */
  choices?: string[];
}

/** A whole list. */
export interface SettingList {
  settings: Setting[];
}

/** What a setting is set to. */
export type SettingValue = boolean | null | number | string | string[];

/** New values of settings, by name. */
export type SettingsRequest = Record<string, SettingValue>;

/** What became of a refund, on evidence. */
export interface Settlement {
  /** `failed`: no money moved. */
  to: "succeeded" | "failed";
  /** Why that is so. */
  evidence: string;
  /** With a success: how it is called elsewhere. */
  references?: ReferenceRequest[];
}

/** A side of a posting: `debit` receives, `credit` gives. */
export type Side = "debit" | "credit";

/** What happened, and what it is about, as it was then. */
export interface TellingBatch {
  /** The event's kind. */
  type: string;
  /** When it happened. */
  timestamp: Time;
  /** Grows with every event of a payment, or of what else it is about. Absent: it is about nothing that has any. */
  sequence?: Version;
  data: {
    /** Read it to see it. */
    batch: BatchID;
  };
}

/** What happened, and what it is about, as it was then. */
export interface TellingDispute {
  /** The event's kind. */
  type: string;
  /** When it happened. */
  timestamp: Time;
  /** Grows with every event of a payment, or of what else it is about. Absent: it is about nothing that has any. */
  sequence?: Version;
  data: {
    /** As it was then. */
    dispute: Dispute;
  };
}

/** What happened, and what it is about, as it was then. */
export interface TellingEndpoint {
  /** The event's kind. */
  type: string;
  /** When it happened. */
  timestamp: Time;
  /** Grows with every event of a payment, or of what else it is about. Absent: it is about nothing that has any. */
  sequence?: Version;
  data: {
    /** For people. Of `endpoint.tried` only. */
    message?: string;
    /** Which was disabled or enabled. */
    endpoint?: EndpointID;
    /** Why it was disabled. */
    reason?: DisabledFor;
    /** Since when nothing could be delivered to it. */
    failing_since?: Time;
  };
}

/** What happened, and what it is about, as it was then. */
export interface TellingPayment {
  /** The event's kind. */
  type: string;
  /** When it happened. */
  timestamp: Time;
  /** Grows with every event of a payment, or of what else it is about. Absent: it is about nothing that has any. */
  sequence?: Version;
  data: {
    /** As it was then. */
    payment: Payment;
  };
}

/** What happened, and what it is about, as it was then. */
export interface TellingRefund {
  /** The event's kind. */
  type: string;
  /** When it happened. */
  timestamp: Time;
  /** Grows with every event of a payment, or of what else it is about. Absent: it is about nothing that has any. */
  sequence?: Version;
  data: {
    /** As it was then. */
    refund: Refund;
  };
}

/** An organization whose data and keys are separate from all others. */
export interface Tenant {
  id: TenantID;
  name: string;
  created_at: Time;
  /** The front doors that it can use, if it has a key for them. */
  doors: Door[];
}

/** Names a tenant. */
export type TenantID = string;

/** A whole list. */
export interface TenantList {
  tenants: Tenant[];
}

/** What a tenant is called. */
export interface TenantRequest {
  /** A line that no other tenant has. */
  name: string;
}

/** A time (RFC 3339) in UTC, with microseconds: such texts sort as the times do. */
export type Time = string;

/** An id, as its bytes are. */
export type UUID = string;

/** The version of the payment at which this became so. Of two, the higher one is newer. */
export type Version = number;

/** One thing that is wrong with a request. */
export interface Wrong {
  /** Into the body, as a URI fragment: `#/items/0`. */
  pointer?: string;
  /** Of the query, instead of a place in the body. */
  parameter?: string;
  detail: string;
}

/** What each operation takes, and answers when it succeeds. */
export interface Operations {
  /** Record a payment. */
  createPayment: {
    method: "POST";
    path: "/v1/payments";
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: PaymentRequest;
    answer: Payment;
  };
  /** List payments. */
  listPayments: {
    method: "GET";
    path: "/v1/payments";
    query: {
      /** Only payments that are so. Named several times: any of them. */
      status?: Array<"created" | "pending" | "authorized" | "captured" | "declined" | "failed" | "canceled" | "expired">;
      /** Only payments that were made at this front door. */
      home?: string;
      /** Only payments that you call so. */
      reference?: string;
      /** Only payments of this order. */
      order?: OrderID;
      /** Only payments that were made at this time or later. */
      from?: string;
      /** Only payments that were made at this time or earlier. */
      until?: string;
      /** Go on from here: `next` of an earlier answer. */
      after?: string;
      /** How many a page has at the most. */
      limit?: number;
    };
    answer: PaymentPage;
  };
  /** Read a payment. */
  getPayment: {
    method: "GET";
    path: "/v1/payments/{id}";
    params: {
      /** Names a payment. */
      id: PaymentID;
    };
    answer: Payment;
  };
  /** Ask what can be refunded. */
  getRefundability: {
    method: "GET";
    path: "/v1/payments/{id}/refundability";
    params: {
      /** Names a payment. */
      id: PaymentID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Refundability;
  };
  /** Erase what is personal about a payment. */
  erasePayment: {
    method: "POST";
    path: "/v1/payments/{id}/erase";
    params: {
      /** Names a payment. */
      id: PaymentID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Payment;
  };
  /** Record a capture. */
  capturePayment: {
    method: "POST";
    path: "/v1/payments/{id}/capture";
    params: {
      /** Names a payment. */
      id: PaymentID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: CaptureRequest;
    answer: Payment;
  };
  /** Record that a payment was canceled. */
  cancelPayment: {
    method: "POST";
    path: "/v1/payments/{id}/cancel";
    params: {
      /** Names a payment. */
      id: PaymentID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Payment;
  };
  /** Ask for a refund. */
  createRefund: {
    method: "POST";
    path: "/v1/refunds";
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: RefundRequest;
    answer: OpenedRefund;
  };
  /** List refunds. */
  listRefunds: {
    method: "GET";
    path: "/v1/refunds";
    query: {
      /** Only refunds of this payment. */
      payment?: string;
      /** Only refunds that were opened together. */
      group?: GroupID;
      /** Only refunds that this batch asked for. */
      batch?: BatchID;
      /** Only refunds that are so. Named several times: any of them. */
      status?: Array<"awaiting_approval" | "scheduled" | "pending" | "unknown" | "succeeded" | "declined" | "failed" | "canceled" | "returned">;
      /** Only refunds that the merchant calls so. */
      reference?: string;
      /** Only refunds for this reason. */
      reason?: string;
      /** Only refunds that this front door asked for. */
      door?: string;
      /** Only refunds that come from there. */
      source?: "api" | "dialect" | "console" | "bulk" | "adopted" | "alert";
      /** Only refunds at which a person must look, or at which nobody need look. */
      needs_review?: "true" | "false";
      /** Only refunds in this currency. */
      currency?: Currency;
      /** Only refunds of this amount or more, in minor units. */
      amount_from?: number;
      /** Only refunds of this amount or less, in minor units. */
      amount_until?: number;
      /** Only refunds that were asked for at this time or later. */
      from?: string;
      /** Only refunds that were asked for at this time or earlier. */
      until?: string;
      /** Only refunds that have not ended for this reason. Named several times: for any of them. */
      pending_reason?: Array<"approval" | "scheduled" | "halted" | "not_sent" | "processor" | "outcome_unknown">;
      /** Only refunds on their way that should have arrived before this time. */
      expected_before?: string;
      /** Only refunds that are on their way for longer than a policy bears. */
      stuck?: "true";
      /** Only refunds that are on their way for so many seconds or longer. */
      older_than?: number;
      /** Sum up all that the filters let through. It takes longer the more there is. */
      totals?: "true";
      /** Go on from here: `next` of an earlier answer. */
      after?: string;
      /** How many a page has at the most. */
      limit?: number;
    };
    answer: RefundPage;
  };
  /** Preview a refund. */
  previewRefund: {
    method: "POST";
    path: "/v1/refunds/preview";
    headers: {
      /** The key that the refund would have: with one, an equal refund a moment before is no mistake, and if it was used before, that is what is shown. It is not used up. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: RefundRequest;
    answer: Preview;
  };
  /** Read a refund. */
  getRefund: {
    method: "GET";
    path: "/v1/refunds/{id}";
    params: {
      /** Names a refund. */
      id: RefundID;
    };
    answer: RefundNow;
  };
  /** Cancel a refund. */
  cancelRefund: {
    method: "POST";
    path: "/v1/refunds/{id}/cancel";
    params: {
      /** Names a refund. */
      id: RefundID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: Decision;
    answer: OpenedRefund;
  };
  /** Approve a refund. */
  approveRefund: {
    method: "POST";
    path: "/v1/refunds/{id}/approve";
    params: {
      /** Names a refund. */
      id: RefundID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: ApprovalRequest;
    answer: Refund;
  };
  /** Reject a refund. */
  rejectRefund: {
    method: "POST";
    path: "/v1/refunds/{id}/reject";
    params: {
      /** Names a refund. */
      id: RefundID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: RejectionRequest;
    answer: Refund;
  };
  /** Retry a refund. */
  retryRefund: {
    method: "POST";
    path: "/v1/refunds/{id}/retry";
    params: {
      /** Names a refund. */
      id: RefundID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: RetryRequest;
    answer: OpenedRefund;
  };
  /** Ask about a refund once more. */
  inquireRefund: {
    method: "POST";
    path: "/v1/refunds/{id}/inquire";
    params: {
      /** Names a refund. */
      id: RefundID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: NudgeRequest;
    answer: Refund;
  };
  /** Send a refund once more. */
  resendRefund: {
    method: "POST";
    path: "/v1/refunds/{id}/resend";
    params: {
      /** Names a refund. */
      id: RefundID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: NudgeRequest;
    answer: Refund;
  };
  /** Say what became of a refund. */
  settleRefund: {
    method: "POST";
    path: "/v1/refunds/{id}/settle";
    params: {
      /** Names a refund. */
      id: RefundID;
    };
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: Settlement;
    answer: Refund;
  };
  /** Read the catalogue of reasons. */
  listReasons: {
    method: "GET";
    path: "/v1/reasons";
    answer: ReasonCatalogue;
  };
  /** Replace the catalogue of reasons. */
  putReasons: {
    method: "PUT";
    path: "/v1/reasons";
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: ReasonsRequest;
    answer: ReasonCatalogue;
  };
  /** Create a batch. */
  createBatch: {
    method: "POST";
    path: "/v1/batches";
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: BatchRequest;
    answer: Batch;
  };
  /** List batches. */
  listBatches: {
    method: "GET";
    path: "/v1/batches";
    query: {
      /** Only batches that are so. */
      status?: "receiving" | "ready" | "running" | "paused" | "canceled" | "done";
      /** Go on from here: `next` of an earlier answer. */
      after?: string;
      /** How many a page has at the most. */
      limit?: number;
    };
    answer: BatchPage;
  };
  /** Read a batch. */
  getBatch: {
    method: "GET";
    path: "/v1/batches/{id}";
    params: {
      /** Names a batch. */
      id: BatchID;
    };
    answer: Batch;
  };
  /** Send rows of a batch. */
  addBatchRows: {
    method: "POST";
    path: "/v1/batches/{id}/rows";
    params: {
      /** Names a batch. */
      id: BatchID;
    };
    query: {
      /** How many rows have come before: `received` of the batch. */
      offset?: number;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: string;
    answer: Batch;
  };
  /** Start a batch. */
  startBatch: {
    method: "POST";
    path: "/v1/batches/{id}/start";
    params: {
      /** Names a batch. */
      id: BatchID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Batch;
  };
  /** Pause a batch. */
  pauseBatch: {
    method: "POST";
    path: "/v1/batches/{id}/pause";
    params: {
      /** Names a batch. */
      id: BatchID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Batch;
  };
  /** Resume a batch. */
  resumeBatch: {
    method: "POST";
    path: "/v1/batches/{id}/resume";
    params: {
      /** Names a batch. */
      id: BatchID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Batch;
  };
  /** Cancel a batch. */
  cancelBatch: {
    method: "POST";
    path: "/v1/batches/{id}/cancel";
    params: {
      /** Names a batch. */
      id: BatchID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Batch;
  };
  /** Read a batch's result. */
  getBatchResult: {
    method: "GET";
    path: "/v1/batches/{id}/result";
    params: {
      /** Names a batch. */
      id: BatchID;
    };
    query: {
      /** How it is written. */
      format?: "ndjson" | "csv";
    };
    answer: string;
  };
  /** List disputes. */
  listDisputes: {
    method: "GET";
    path: "/v1/disputes";
    query: {
      /** Only disputes of this payment. */
      payment?: string;
      /** Only disputes of this kind. Named several times: of any of them. */
      kind?: Array<"dispute" | "inquiry" | "pre_arbitration">;
      /** Only disputes that are so. Named several times: any of them. */
      status?: Array<"open" | "challenged" | "won" | "lost" | "accepted" | "expired" | "canceled">;
      /** Only disputes that took what was given back, and are not won. */
      double_loss_risk?: "true";
      /** Only disputes that were opened at this time or later. */
      from?: string;
      /** Only disputes that were opened at this time or earlier. */
      until?: string;
      /** Go on from here: `next` of an earlier answer. */
      after?: string;
      /** How many a page has at the most. */
      limit?: number;
    };
    answer: DisputePage;
  };
  /** Record a dispute. */
  openDispute: {
    method: "POST";
    path: "/v1/disputes";
    headers: {
      /** Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare. */
      "Idempotency-Key"?: string;
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: DisputeRequest;
    answer: DisputeAnswer;
  };
  /** Read a dispute. */
  getDispute: {
    method: "GET";
    path: "/v1/disputes/{id}";
    params: {
      /** Names a dispute. */
      id: DisputeID;
    };
    answer: DisputeAnswer;
  };
  /** Record what became of a dispute. */
  moveDispute: {
    method: "POST";
    path: "/v1/disputes/{id}/move";
    params: {
      /** Names a dispute. */
      id: DisputeID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: DisputeMove;
    answer: DisputeAnswer;
  };
  /** Read what happened. */
  listEvents: {
    method: "GET";
    path: "/v1/events";
    query: {
      /** Go on from here: `next` of an earlier answer. */
      after?: string;
      /** How many a page has at the most. */
      limit?: number;
    };
    headers: {
      /** Where a stream goes on: it counts for more than `after`. */
      "Last-Event-ID"?: string;
    };
    answer: EventPage;
  };
  /** List webhook endpoints. */
  listEndpoints: {
    method: "GET";
    path: "/v1/endpoints";
    answer: EndpointList;
  };
  /** Add a webhook endpoint. */
  createEndpoint: {
    method: "POST";
    path: "/v1/endpoints";
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: EndpointRequest;
    answer: EndpointWithSecret;
  };
  /** Read a webhook endpoint. */
  getEndpoint: {
    method: "GET";
    path: "/v1/endpoints/{id}";
    params: {
      /** Names a webhook endpoint. */
      id: EndpointID;
    };
    answer: EndpointWithKey;
  };
  /** Change, disable or enable a webhook endpoint. */
  changeEndpoint: {
    method: "PATCH";
    path: "/v1/endpoints/{id}";
    params: {
      /** Names a webhook endpoint. */
      id: EndpointID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: EndpointChange;
    answer: EndpointWithKey;
  };
  /** Remove a webhook endpoint. */
  removeEndpoint: {
    method: "DELETE";
    path: "/v1/endpoints/{id}";
    params: {
      /** Names a webhook endpoint. */
      id: EndpointID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: void;
  };
  /** Rotate an endpoint's secret. */
  rotateEndpointSecret: {
    method: "POST";
    path: "/v1/endpoints/{id}/rotate";
    params: {
      /** Names a webhook endpoint. */
      id: EndpointID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: RotateRequest;
    answer: EndpointWithSecret;
  };
  /** Test a webhook endpoint. */
  testEndpoint: {
    method: "POST";
    path: "/v1/endpoints/{id}/test";
    params: {
      /** Names a webhook endpoint. */
      id: EndpointID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Delivery;
  };
  /** Tell an endpoint what it missed. */
  replayEvents: {
    method: "POST";
    path: "/v1/endpoints/{id}/replay";
    params: {
      /** Names a webhook endpoint. */
      id: EndpointID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: ReplayRequest;
    answer: Replayed;
  };
  /** List deliveries. */
  listDeliveries: {
    method: "GET";
    path: "/v1/deliveries";
    query: {
      /** Only deliveries about this payment. */
      payment?: string;
      /** Only deliveries to this endpoint. */
      endpoint?: EndpointID;
      /** Only this delivery, and newer ones. */
      since?: DeliveryID;
      /** Only deliveries that are so. */
      status?: "open" | "delivered" | "given_up" | "canceled";
      /** Go on from here: `next` of an earlier answer. */
      after?: string;
      /** How many a page has at the most. */
      limit?: number;
    };
    answer: DeliveryPage;
  };
  /** Read a delivery. */
  getDelivery: {
    method: "GET";
    path: "/v1/deliveries/{id}";
    params: {
      /** Names a delivery. */
      id: DeliveryID;
    };
    answer: DeliveryWithAttempts;
  };
  /** Resend a delivery. */
  resendDelivery: {
    method: "POST";
    path: "/v1/deliveries/{id}/resend";
    params: {
      /** Names a delivery. */
      id: DeliveryID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    answer: Delivery;
  };
  /** Read a payment's ledger entries. */
  listPaymentEntries: {
    method: "GET";
    path: "/v1/payments/{id}/ledger";
    params: {
      /** Names a payment. */
      id: PaymentID;
    };
    answer: EntryList;
  };
  /** List ledger entries. */
  listEntries: {
    method: "GET";
    path: "/v1/ledger/entries";
    query: {
      /** Only entries about this payment. */
      payment?: string;
      /** Only entries with a posting to or from this account. */
      account?: string;
      /** Only entries of this business event. */
      cause?: string;
      /** Only entries in this currency. */
      currency?: Currency;
      /** Only of what happened at this time or later. */
      from?: string;
      /** Only of what happened at this time or earlier. */
      until?: string;
      /** Go on from here: `next` of an earlier answer. */
      after?: string;
      /** How many a page has at the most. */
      limit?: number;
    };
    answer: EntryPage;
  };
  /** List the accounts in use. */
  listAccounts: {
    method: "GET";
    path: "/v1/ledger/accounts";
    answer: AccountList;
  };
  /** Read the trial balance. */
  listBalances: {
    method: "GET";
    path: "/v1/ledger/balances";
    query: {
      /** Of what had happened at this time. Absent: of all. */
      at?: string;
    };
    answer: BalanceList;
  };
  /** List the reports there are. */
  listReports: {
    method: "GET";
    path: "/v1/reports";
    answer: ReportList;
  };
  /** Write a report. */
  getReport: {
    method: "GET";
    path: "/v1/reports/{name}";
    params: {
      /** Of a report. */
      name: string;
    };
    query: {
      /** The first day, or a time from which on. */
      from?: string;
      /** The last day, or a time before which. */
      to?: string;
      /** `csv` unless it is named. */
      format?: ReportFormat;
    };
    answer: string;
  };
  /** Read the audit trail. */
  listAudit: {
    method: "GET";
    path: "/v1/audit";
    query: {
      /** Only what this actor did: `key:…`, `operator:…`, or a part of Refundry. */
      actor?: string;
      /** Only events of this kind, as in `refund.approved`, or of this group of kinds, as in `refund`. Named several times: of any of them. */
      kind?: string[];
      /** Only what is about this payment. */
      payment?: string;
      /** Only what is about this: the id of a refund, dispute, endpoint, key … */
      subject?: string;
      /** Only what was done on behalf of this person; it is found after the person was erased, too. */
      user?: string;
      /** As `user`, by the person's id. */
      person?: PersonID;
      /** Only what was committed at this time or later. */
      from?: string;
      /** Only what was committed at this time or earlier. */
      until?: string;
      /** Go on from here: `next` of an earlier answer. */
      after?: string;
      /** How many a page has at the most. */
      limit?: number;
    };
    answer: AuditPage;
  };
  /** Read a checkpoint. */
  getAuditCheckpoint: {
    method: "GET";
    path: "/v1/audit/checkpoint";
    query: {
      /** Of a commit; the newest, unless it is named. */
      number?: number;
    };
    answer: AuditCheckpoint;
  };
  /** Export the audit trail. */
  exportAudit: {
    method: "GET";
    path: "/v1/audit/export";
    query: {
      /** The first commit; 1, unless it is named. */
      first?: number;
      /** The last commit; the newest, unless an earlier one is named. */
      last?: number;
    };
    answer: string;
  };
  /** Erase a person. */
  erasePerson: {
    method: "POST";
    path: "/v1/audit/erase-person";
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: ErasureRequest;
    answer: Erasure;
  };
  /** List tenants. */
  listTenants: {
    method: "GET";
    path: "/v1/tenants";
    answer: TenantList;
  };
  /** Make a tenant. */
  createTenant: {
    method: "POST";
    path: "/v1/tenants";
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: TenantRequest;
    answer: Tenant;
  };
  /** Read a tenant. */
  getTenant: {
    method: "GET";
    path: "/v1/tenants/{id}";
    params: {
      /** Names a tenant. */
      id: TenantID;
    };
    answer: Tenant;
  };
  /** Rename a tenant. */
  renameTenant: {
    method: "PATCH";
    path: "/v1/tenants/{id}";
    params: {
      /** Names a tenant. */
      id: TenantID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
    };
    body: TenantRequest;
    answer: Tenant;
  };
  /** Read whose key this is. */
  getOwnTenant: {
    method: "GET";
    path: "/v1/tenant";
    answer: Tenant;
  };
  /** List keys. */
  listKeys: {
    method: "GET";
    path: "/v1/keys";
    query: {
      /** Only valid keys by which callers prove who they are, and that nobody has used for so many days. */
      unused_days?: number;
    };
    headers: {
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    answer: KeyList;
  };
  /** Make a key. */
  createKey: {
    method: "POST";
    path: "/v1/keys";
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: KeyRequest;
    answer: KeyWithSecret;
  };
  /** Read a key. */
  getKey: {
    method: "GET";
    path: "/v1/keys/{id}";
    params: {
      /** Names a key. */
      id: KeyID;
    };
    headers: {
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    answer: Key;
  };
  /** Rename a key, or change its scopes. */
  changeKey: {
    method: "PATCH";
    path: "/v1/keys/{id}";
    params: {
      /** Names a key. */
      id: KeyID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: KeyChange;
    answer: Key;
  };
  /** Revoke a key. */
  revokeKey: {
    method: "DELETE";
    path: "/v1/keys/{id}";
    params: {
      /** Names a key. */
      id: KeyID;
    };
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    answer: void;
  };
  /** Read settings. */
  listSettings: {
    method: "GET";
    path: "/v1/settings";
    headers: {
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    answer: SettingList;
  };
  /** Change settings. */
  changeSettings: {
    method: "PATCH";
    path: "/v1/settings";
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: SettingsRequest;
    answer: SettingList;
  };
  /** Import payments. */
  importPayments: {
    method: "POST";
    path: "/v1/payments/import";
    headers: {
      /** The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count by person, and who has asked for a refund cannot approve it, whichever key they use. */
      "Refundry-User"?: string;
      /** The tenant's name or id. The only one need not be named. */
      "Refundry-Tenant"?: string;
    };
    body: string;
    answer: string;
  };
  /** Explain a code. */
  explainCode: {
    method: "GET";
    path: "/errors/{code}";
    params: {
      /** Of an error. */
      code: Code;
    };
    answer: string;
  };
}
