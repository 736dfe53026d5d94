package main

import (
	"context"
	"encoding/json"
	"net/http"
)

// bareBody is what the bare handler and the own API are sent: a refund.
type bareBody struct {
	Payment   string `json:"payment"`
	Currency  string `json:"currency"`
	Amount    int64  `json:"amount"`
	Reason    string `json:"reason"`
	Reference string `json:"reference"`
}

// bareAnswer is about as long as a refund's answer.
type bareAnswer struct {
	ID        string `json:"id"`
	Payment   string `json:"payment"`
	Amount    int64  `json:"amount"`
	Currency  string `json:"currency"`
	Status    string `json:"status"`
	Reason    string `json:"reason"`
	Reference string `json:"reference"`
	CreatedAt string `json:"created_at"`
}

// bareHandler is the ceiling: net/http with JSON in and JSON out, nothing between.
func bareHandler(w http.ResponseWriter, r *http.Request) {
	var body bareBody
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	answer, err := json.Marshal(bareAnswer{
		ID: "rfd_00000000000000000000000000", Payment: body.Payment, Amount: body.Amount, Currency: body.Currency,
		Status: "pending", Reason: body.Reason, Reference: body.Reference, CreatedAt: "2026-01-01T00:00:00.000000Z",
	})
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(answer)
}

// bareWork sends refunds to the bare handler.
func (w *world) bareWork(int) work {
	return func(ctx context.Context) (func() (int, error), error) {
		c, err := dial(ctx, w.bareAddress)
		if err != nil {
			return nil, err
		}
		return func() (int, error) {
			_, err := c.send(request("/", w.refundHeader(), w.refundBody()), http.StatusCreated)
			return 1, err
		}, nil
	}
}
