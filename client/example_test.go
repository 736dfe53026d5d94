package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/refundry/refundry/client"
)

func Example() {
	ctx := context.Background()
	refundry, err := client.New(client.Config{
		BaseURL: os.Getenv("REFUNDRY_URL"), // http://127.0.0.1:8480
		Key:     client.Key(os.Getenv("REFUNDRY_KEY")),
	})
	if err != nil {
		log.Fatal(err)
	}

	// What was paid is recorded, so that it can be refunded.
	payment, err := refundry.CreatePayment(ctx, client.PaymentRequest{
		IdempotencyKey: "order-1001",
		Money:          client.Money{Minor: 8900, Currency: "EUR"},
		Items: []client.ItemRequest{
			{Name: "Wool hat", Quantity: 2, UnitAmount: 2450},
			{Name: "Silk tie", UnitAmount: 4000},
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	// One of the hats goes back. Asked for again with the same key, it is the
	// same refund.
	refund, err := refundry.CreateRefund(ctx, client.RefundRequest{
		IdempotencyKey: "return-77",
		Payment:        payment.ID,
		Items:          []client.ItemAsk{{Position: 1, Quantity: 1}},
		Reason:         "returned",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("refunded:", refund.Minor, refund.Currency)

	// More than is left is refused, with what is left.
	_, err = refundry.CreateRefund(ctx, client.RefundRequest{
		IdempotencyKey: "return-78",
		Payment:        payment.ID,
		Money:          client.Amount(8000, "EUR"),
	})
	var refused *client.Error
	if errors.Is(err, client.RefundableAmountExceeded) && errors.As(err, &refused) {
		fmt.Println("left:", refused.Refundable.Minor, refused.Refundable.Currency)
	}

	// Everything that happened can be read, in order.
	for event, err := range refundry.Events(ctx, "") {
		if err != nil {
			log.Fatal(err)
		}
		if event.Refund == refund.ID {
			fmt.Println("first event:", event.Kind)
			break
		}
	}

	// Output:
	// refunded: 2450 EUR
	// left: 6450 EUR
	// first event: refund.created
}
