package chip

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// refund opens a refund and waits for its outcome for a while, section 5. The
// answer is a Payment if it is done, the purchase if it takes longer, a no if
// it came to nothing.
func (d *Door) refund(c *call) (int, any, error) {
	ask, said := readAsk(c.raw, strictRefundBody.Of(c.tenant.Settings))
	if said != nil {
		return 0, nil, d.malformed(c, said)
	}
	if err := d.setKey(c, strconv.Itoa(int(ask.How)), strconv.FormatInt(int64(ask.Amount), 10)); err != nil {
		return 0, nil, err
	}
	number, err := d.nextNumber(c, paymentNumbers)
	if err != nil {
		return 0, nil, err
	}
	command := openRefund(c, ask)
	command.Document = document{Generated: number, Fee: money.Minor(refundFee.Of(c.tenant.Settings))}.bytes()
	answer, err := d.onPurchase(c, func(of payment.PaymentID) (payment.Answer, error) {
		command.Payment = of
		return d.open(c, command)
	})
	switch {
	case err != nil:
		return 0, nil, err
	case answer.Replayed != nil:
		return d.replayRefund(c, answer.Replayed)
	}
	return d.fate(c, answer.View, answer.Refund.ID)
}

// openRefund returns the command, with the rules in the order of section 5.2.
func openRefund(c *call, ask payment.Ask) payment.OpenRefund {
	isPartialOnly := afterPartial.Of(c.tenant.Settings) == availablePartialOnly
	return payment.OpenRefund{
		Meta: c.meta(), Ask: ask, Source: payment.SourceDialect, Parts: payment.PartAll,
		Rules: []payment.Rule{
			{Name: payment.RuleKey},
			{Name: payment.RuleExists},
			{Name: payment.RuleStatus},
			{Name: payment.RuleUndisputed},
			{Name: payment.RuleOneAtATime, On: true},
			{Name: payment.RuleNothingLeft},
			{Name: payment.RuleAvailability, On: isPartialOnly},
			{Name: payment.RuleRefundable},
			{Name: payment.RuleCapture, On: true}, // the answer is about one refund
		},
	}
}

// open opens a refund, and returns it ended or deferred.
func (d *Door) open(c *call, command payment.OpenRefund) (payment.Answer, error) {
	if refundMode.Of(c.tenant.Settings) == modePending {
		return d.openPending(c, command)
	}
	return d.config.Opener.Open(c.ctx, command, patience(c.tenant.Settings))
}

// openPending opens a refund whose caller never waits. Its work begins when
// the answer is written, so it has not ended before it is deferred.
func (d *Door) openPending(c *call, command payment.OpenRefund) (payment.Answer, error) {
	command.AnswerBy = d.config.Now() // should this replica be lost, a job defers it
	answer, err := d.config.Engine.Do(c.ctx, command)
	if err != nil || answer.Replayed != nil {
		return answer, err
	}
	meta := command.Meta
	meta.Key = payment.Key{}
	answer, err = d.config.Engine.Do(c.ctx, payment.DeferRefund{
		Meta: meta, Payment: command.Payment, Refund: answer.Refund.ID, Parts: command.Parts,
	})
	if err != nil {
		return answer, fateUnknown(err)
	}
	return answer, nil
}

// fateUnknown returns an error whose request gets no answer at all: something
// was done, or may have been.
func fateUnknown(err error) error { return fmt.Errorf("%w: %w", engine.ErrFateUnknown, err) }

// fate tells what became of a refund, as its first caller heard it: deferred,
// as of then; else ended, as of its end. Neither has happened: it still runs.
func (d *Door) fate(c *call, view payment.View, id payment.RefundID) (int, any, error) {
	refund, _ := view.Refund(id)
	for _, mark := range refund.History {
		then := d.shower(c.tenant)
		switch {
		case mark.Note == payment.NoteDeferred:
			return http.StatusOK, then.purchase(view.AsOf(mark.Version)), nil
		case mark.Status == payment.RefundSucceeded:
			past, _ := refund.AsOf(mark.Version)
			return http.StatusOK, then.of(view.AsOf(mark.Version)).refund(past), nil
		case !mark.Status.IsRunning():
			return 0, nil, declined
		}
	}
	return 0, nil, keyConflict
}

// replayRefund gives the answer to a refund again.
func (d *Door) replayRefund(c *call, used *payment.KeyRecord) (int, any, error) {
	view, err := d.config.Reader.View(c.ctx, c.tenant.ID, used.Payment)
	if err != nil {
		return 0, nil, err
	}
	return d.fate(c, view, used.Subject)
}

// readAsk reads how much is to be refunded, section 5.1. Nothing at all, and
// what PHP clients write for it, means all that is left; a misspelled amount
// must not.
func readAsk(raw []byte, isStrict bool) (payment.Ask, *problem) {
	rest := payment.Ask{How: payment.AskRemaining}
	if isBlank(raw) {
		return rest, nil
	}
	body, err := wire.Parse(raw)
	switch {
	case err != nil:
		return rest, badBody
	case body.Is(wire.Null), body.IsEmptyArray():
		return rest, nil
	case !body.Is(wire.Object):
		return rest, badBody
	}
	if body.Get("amount").Is(wire.Absent) {
		for _, name := range body.Names() {
			if name != "client_name" && isStrict {
				return rest, badAmount(codeRequired, "This field is required.")
			}
		}
		return rest, nil
	}
	return readAmount(body.Get("amount"))
}

// readAmount reads an amount of at least 1.
func readAmount(given wire.Value) (payment.Ask, *problem) {
	if given.Is(wire.Null) {
		return payment.Ask{}, badAmount(codeNull, "This field may not be null.")
	}
	minor, flaw := readWhole(given, 1)
	if flaw != nil {
		return payment.Ask{}, badAmount(flaw.code, flaw.message)
	}
	return payment.Ask{How: payment.AskAmount, Amount: minor}, nil
}
