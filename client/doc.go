// Package client calls the API of Refundry as a merchant does.
//
// A [Client] is safe for many goroutines at once. Every method takes a context
// and obeys it. What may be sent again without harm is sent again: reading, and
// whatever has an idempotency key. So give every refund a key, and keep it until
// the answer has come; if the program dies before, send the same request again
// with the same key, and it is the same refund.
//
// Amounts are whole minor units, see [Money]. What the API refuses is an
// [Error], and each of its codes can be asked for:
//
//	if errors.Is(err, client.RefundableAmountExceeded) { … }
//
// Lists are iterators that read page after page. [VerifyWebhook] reads what
// Refundry tells an endpoint.
package client
