package client_test

import (
	"errors"
	"testing"

	"github.com/refundry/refundry/client"
)

// What was captured elsewhere is recorded once, and refunds over several
// captures are a group where the connector's processor refunds captures.
func TestPaymentsAreCaptured(t *testing.T) {
	t.Parallel()
	c := setup(t)
	held, err := c.CreatePayment(t.Context(), client.PaymentRequest{
		Money: client.Money{Minor: 1000, Currency: "EUR"}, Status: client.PaymentAuthorized, Connector: "sandbox_captures",
	})
	if err != nil || held.Status != client.PaymentAuthorized || held.Connector != "sandbox_captures" {
		t.Fatalf("recorded: %+v, %v", held, err)
	}
	first := client.CaptureRequest{IdempotencyKey: "first-" + held.ID, Money: client.Money{Minor: 600, Currency: "EUR"}}
	for range 2 {
		if held, err = c.CapturePayment(t.Context(), held.ID, first); err != nil || held.Captured != 600 || len(held.Captures) != 1 {
			t.Fatalf("captured: %+v, %v", held, err)
		}
	}
	var refused *client.Error
	_, err = c.CapturePayment(t.Context(), held.ID, client.CaptureRequest{Money: client.Money{Minor: 401, Currency: "EUR"}})
	if !errors.As(err, &refused) || refused.Code != client.Code("capturable_amount_exceeded") || refused.Capturable.Minor != 400 {
		t.Errorf("too much: %v", err)
	}
	rest := client.CaptureRequest{User: "anna", Money: client.Money{Minor: 300, Currency: "EUR"}, Final: true}
	held, err = c.CapturePayment(t.Context(), held.ID, rest)
	if err != nil || held.Captured != 900 || !held.Captures[1].IsFinal || held.Captures[1].Status != client.CaptureSettled {
		t.Errorf("captured: %+v, %v", held, err)
	}
	if _, err := c.CancelPayment(t.Context(), held.ID, ""); !errors.Is(err, client.WrongStatus) {
		t.Errorf("canceled: %v", err)
	}
	refund, err := c.CreateRefund(t.Context(), client.RefundRequest{Payment: held.ID, Full: true})
	if err != nil || refund.Minor != 600 || refund.Capture != held.Captures[0].ID || len(refund.GroupRefunds) != 1 {
		t.Errorf("refunded: %+v, %v", refund, err)
	}
	held, err = c.CreatePayment(t.Context(), client.PaymentRequest{
		Money: client.Money{Minor: 1000, Currency: "EUR"}, Status: client.PaymentAuthorized,
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		gone, err := c.CancelPayment(t.Context(), held.ID, "cancel-"+held.ID)
		if err != nil || gone.Status != client.PaymentCanceled || gone.Captured != 0 {
			t.Errorf("canceled: %+v, %v", gone, err)
		}
	}
}
