package api_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

// filled sets everything in a value to something.
func filled(value reflect.Value) {
	switch value.Kind() {
	case reflect.String:
		value.SetString("x")
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int, reflect.Int64:
		value.SetInt(1)
	case reflect.Uint8:
		value.SetUint(1)
	case reflect.Array:
		for i := range value.Len() {
			filled(value.Index(i))
		}
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 1, 1))
		filled(value.Index(0))
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		filled(value.Elem())
	case reflect.Struct:
		if value.Type() == reflect.TypeOf(began) {
			value.Set(reflect.ValueOf(began))
			return
		}
		for i := range value.NumField() {
			filled(value.Field(i))
		}
	default:
		panic("nothing to fill " + value.Type().String() + " with")
	}
}

// Whatever a payment and a refund can have is shown, and every member that the
// document has of them is among it.
func TestEveryMemberIsShown(t *testing.T) {
	t.Parallel()
	var view payment.View
	filled(reflect.ValueOf(&view).Elem())
	view.Items[0].Until = 0
	view.Captures[0].History = payment.History[payment.CaptureStatus]{{Status: payment.CaptureSettled, At: began}}
	view.Payment.History = payment.History[payment.PaymentStatus]{
		{Status: payment.PaymentCaptured, At: began}, {Status: payment.PaymentCaptured, Note: payment.NoteErased, At: began},
		{Status: payment.PaymentCaptured, Note: payment.Note(payment.GatePayer), At: began},
	}
	refund := &view.Refunds[0]
	refund.Status = payment.RefundUnknown
	refund.Metadata, view.Payment.Metadata, view.Items[0].Metadata = `{}`, `{}`, `{}`
	refund.History = payment.History[payment.RefundStatus]{
		{Status: payment.RefundUnknown, At: began}, {Status: payment.RefundUnknown, Note: payment.NoteReview, At: began},
	}
	waiting, over, stuck := *refund, *refund, *refund
	stuck.History = payment.History[payment.RefundStatus]{{Status: payment.RefundUnknown, Note: payment.NoteStuck, At: began}}
	waiting.Status = payment.RefundAwaitingApproval
	over.Status = payment.RefundDeclined
	over.History = payment.History[payment.RefundStatus]{{Status: payment.RefundDeclined, At: began}}
	for name, shown := range map[string][][]byte{
		"Payment": {api.PaymentJSON(view)},
		"Refund":  {api.RefundJSON(*refund), api.RefundJSON(waiting), api.RefundJSON(over), api.RefundJSON(stuck)},
	} {
		var seen []any
		for _, text := range shown {
			var value any
			if err := json.Unmarshal(text, &value); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, value)
		}
		checkShown(t, name, api.SchemaNamed(name), seen)
	}
}

// checkShown fails the test unless one of some objects has each member, and
// none has another.
func checkShown(t *testing.T, at string, schema *openapi.Schema, seen []any) {
	t.Helper()
	for _, value := range seen {
		object, _ := value.(map[string]any)
		for name := range object {
			if !slices.ContainsFunc(schema.Members, func(m openapi.Member) bool { return m.Name == name }) {
				t.Errorf("%s/%s is shown and not in the document", at, name)
			}
		}
	}
	for _, member := range schema.Members {
		var values []any
		for _, value := range seen {
			object, _ := value.(map[string]any)
			if inner, isThere := object[member.Name]; isThere {
				values = append(values, inner)
			}
		}
		if len(values) == 0 {
			t.Errorf("%s/%s is in the document and never shown", at, member.Name)
			continue
		}
		inner := member.Schema
		if inner.Items != nil {
			inner = inner.Items
			var elements []any
			for _, value := range values {
				list, _ := value.([]any)
				elements = append(elements, list...)
			}
			values = elements
		}
		if len(inner.Members) > 0 {
			checkShown(t, at+"/"+member.Name, inner, values)
		}
	}
}
