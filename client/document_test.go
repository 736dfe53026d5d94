package client_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/refundry/refundry/client"
)

// schema is one of the document's, as far as it is compared.
type schema struct {
	Ref        string            `json:"$ref"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// The client's types have every member that the document has.
func TestTypesHaveEveryMember(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"Payment": client.Payment{}, "Item": client.Item{}, "Dispute": client.Dispute{}, "PaymentRequest": client.PaymentRequest{},
		"ItemRequest": client.ItemRequest{}, "Capture": client.Capture{}, "CaptureRequest": client.CaptureRequest{}, "Refund": client.Refund{}, "RefundLine": client.RefundLine{},
		"Approval": client.Approval{}, "Evidence": client.Evidence{}, "Failure": client.Failure{}, "ItemAsk": client.ItemAsk{},
		"RefundRequest": client.RefundRequest{}, "Decision": client.Decision{}, "RejectionRequest": client.Decision{},
		"ApprovalRequest": client.Agreement{}, "RetryRequest": client.RefundRequest{}, "Event": client.Event{},
		"EndpointWithKey": client.Endpoint{}, "EndpointChange": client.EndpointChange{}, "EndpointRequest": client.EndpointRequest{},
		"EndpointHealth":       client.Health{},
		"DeliveryWithAttempts": client.Delivery{}, "DeliveryAttempt": client.DeliveryAttempt{}, "Entry": client.Entry{},
		"Posting": client.Posting{}, "Balance": client.Balance{}, "Refundability": client.Refundability{},
		"Refusal": client.Refusal{}, "Exposure": client.Exposure{}, "CaptureLeft": client.CaptureLeft{},
		"ItemLeft": client.ItemLeft{}, "Preview": client.Preview{}, "PreviewedRefund": client.PreviewedRefund{},
		"OpenedRefund": client.Refund{}, "Batch": client.Batch{}, "BatchRows": client.BatchCounts{},
		"BatchRequest": client.BatchRequest{}, "BatchRow": client.BatchRow{}, "BatchResult": client.BatchResult{},
		"BatchRowError": client.BatchRowError{}, "ReasonCatalogue": client.ReasonCatalogue{}, "Reason": client.Reason{},
		"AuditEntry": client.AuditEntry{}, "AuditCheckpoint": client.Checkpoint{}, "Tenant": client.Tenant{},
		"Report": client.Report{}, "ReportColumn": client.ReportColumn{},
		"BookedEntry": client.BookedEntry{}, "LedgerAccount": client.LedgerAccount{},
	} {
		properties := document.Components.Schemas[name].Properties
		if len(properties) == 0 {
			t.Errorf("the document has no %s", name)
		}
		members := map[string]bool{}
		gather(reflect.TypeOf(value), members)
		for member := range properties {
			if !members[member] && !left[name+"/"+member] {
				t.Errorf("%s has no %s", name, member)
			}
		}
	}
}

// left are members that the client has no use for.
var left = map[string]bool{
	"EndpointRequest/door": true, "EndpointRequest/secret": true, "EndpointRequest/description": true, "EndpointRequest/types": true,
	"EndpointChange/description": true, "EndpointChange/types": true, "EndpointWithKey/detail": true, "DeliveryWithAttempts/body": true, "DeliveryWithAttempts/door": true,
	"DeliveryWithAttempts/body_note": true,
	"DeliveryWithAttempts/word":      true, "DeliveryWithAttempts/order": true, "DeliveryWithAttempts/payout": true,
	"DeliveryWithAttempts/resource": true, "Event/payout": true, "Event/resource": true, "Event/tenant": true,
}

// gather notes the names that a type's members have in JSON.
func gather(of reflect.Type, members map[string]bool) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			gather(field.Type, members)
			continue
		}
		members[name] = true
	}
}
