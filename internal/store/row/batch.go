package row

import (
	"encoding/json"
	"fmt"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

type amount struct {
	Minor    int64          `json:"minor"`
	Currency money.Currency `json:"currency"`
}

// Amounts writes a list of amounts; nothing for none.
func Amounts(list []money.Amount) string {
	if len(list) == 0 {
		return ""
	}
	amounts := make([]amount, len(list))
	for i, a := range list {
		amounts[i] = amount{int64(a.Minor), a.Currency}
	}
	return asJSON(amounts)
}

// ParseAmounts reads what [Amounts] wrote.
func ParseAmounts(text string) ([]money.Amount, error) {
	if text == "" {
		return nil, nil
	}
	var amounts []amount
	if err := json.Unmarshal([]byte(text), &amounts); err != nil {
		return nil, fmt.Errorf("amounts: %w", err)
	}
	list := make([]money.Amount, len(amounts))
	for i, a := range amounts {
		list[i] = money.Of(money.Minor(a.Minor), a.Currency)
	}
	return list, nil
}

// reason is why a row is no refund.
type reason struct {
	Rule       payment.RuleName `json:"rule,omitempty"`
	Skip       batch.Skip       `json:"skip,omitempty"`
	Message    string           `json:"message,omitempty"`
	Refundable *amount          `json:"refundable,omitempty"`
	From       int64            `json:"from,omitempty"`
	Wrongs     []wrong          `json:"wrongs,omitempty"`
}

type wrong struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// Reason writes why a row is no refund; nothing for the zero reason.
func Reason(r batch.Reason) string {
	kept := reason{Rule: r.Rule, Skip: r.Skip, Message: r.Message, From: Micros(r.From)}
	if r.Refundable.Currency != "" {
		kept.Refundable = &amount{int64(r.Refundable.Minor), r.Refundable.Currency}
	}
	for _, w := range r.Wrongs {
		kept.Wrongs = append(kept.Wrongs, wrong(w))
	}
	if text := asJSON(kept); text != "{}" {
		return text
	}
	return ""
}

// ParseReason reads what [Reason] wrote.
func ParseReason(text string) (r batch.Reason, err error) {
	if text == "" {
		return r, nil
	}
	var kept reason
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		return r, fmt.Errorf("reason: %w", err)
	}
	r = batch.Reason{Rule: kept.Rule, Skip: kept.Skip, Message: kept.Message, From: Time(kept.From)}
	if kept.Refundable != nil {
		r.Refundable = money.Of(money.Minor(kept.Refundable.Minor), kept.Refundable.Currency)
	}
	for _, w := range kept.Wrongs {
		r.Wrongs = append(r.Wrongs, batch.Wrong(w))
	}
	return r, nil
}

// BatchTexts are the lists of a batch as its columns have them.
type BatchTexts struct{ Caps, Sums, Full string }

// TextsOfBatch writes the lists of a batch.
func TextsOfBatch(b batch.Batch) BatchTexts {
	return BatchTexts{Caps: Amounts(b.Caps), Sums: Amounts(b.Sums), Full: Texts(b.Full)}
}

// Parse gives a batch the lists that [TextsOfBatch] wrote.
func (t BatchTexts) Parse(b *batch.Batch) (err error) {
	if b.Caps, err = ParseAmounts(t.Caps); err != nil {
		return err
	}
	if b.Sums, err = ParseAmounts(t.Sums); err != nil {
		return err
	}
	b.Full, err = ParseTexts[money.Currency](t.Full)
	return err
}
