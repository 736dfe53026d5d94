package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
)

// story is the demo: what a merchant asks for, and what becomes of it.
type story struct {
	timeline

	ctx      context.Context //nolint:containedctx // the story lives in it
	service  *service.Service
	file     service.SandboxFile
	merchant merchant
	webhooks *webhooks
	books    payment.PaymentID // the payment whose ledger is shown
}

func newStory(ctx context.Context, t *terminal, s *service.Service, file service.SandboxFile, heard *webhooks) *story {
	return &story{
		timeline: timeline{t, machineTime()}, ctx: ctx, service: s, file: file,
		merchant: merchant{ctx, file}, webhooks: heard,
	}
}

// tell tells the whole story. It ends at the first thing that is not as it should be.
func (s *story) tell() error {
	s.title("Refundry is a refund engine that you run yourself",
		"Merchants ask it for refunds, in its own words or in those of their payment provider. It makes sure that\n"+
			"nothing is given back twice or too much, carries each refund to the processor until its outcome is known,\n"+
			"keeps the books, and tells everyone by signed webhooks. Here is a sandbox at work, over real HTTP.")
	chapters := []func() error{s.full, s.partial, s.unified, s.outside, s.ledger, s.verify}
	for _, chapter := range chapters {
		if err := chapter(); err != nil {
			s.say("wrong", err.Error())
			return exitError(1)
		}
	}
	return nil
}

// expect turns a surprise into an error.
func expect(what string, got, want any) error {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("%s is %v, not %v", what, got, want)
	}
	return nil
}

// dig returns what is at a path in an answer, as in "session.status".
func dig(answer any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch value := answer.(type) {
		case answered:
			answer = value[step]
		case map[string]any:
			answer = value[step]
		case []any:
			n := int(step[0] - '0')
			if step == "last" {
				n = len(value) - 1
			}
			if n < 0 || n >= len(value) {
				return nil
			}
			answer = value[n]
		default:
			return nil
		}
	}
	return answer
}

const (
	cardBody = `{"payment_details":{"type":"card","card":{"type":"bank_card","bank_card":{"number":"4242424242424242",` +
		`"expiration_month":"05","expiration_year":"25","security_code":"123"}}},` +
		`"amount_details":{"amount":10000,"currency":"%s"},"customer":{"reference":"buyer-77"},"metadata":"order-123"}`
	lastRefund = "session.acquiring_payments.0.refunds.last"
)

// pay makes a payment at Smart Glocal or Pike and waits until it is paid.
func (s *story) pay(door string, project service.SandboxProject, currency string) (session string, err error) {
	status, answer, err := s.merchant.signed(project, "session/init/payment", fmt.Sprintf(cardBody, currency))
	if err != nil {
		return "", err
	}
	if err := expect("the answer to session/init/payment", status, http.StatusOK); err != nil {
		return "", err
	}
	session = fmt.Sprint(dig(answer, "session.id"))
	s.say("merchant", "POST /api/v1/session/init/payment, signed with RSA: a payment of 100.00 "+strings.ToUpper(currency))
	return session, s.told(door, project, "payment_finished", "session.status", "accepted")
}

// told waits for a webhook of a provider's and verifies it.
func (s *story) told(door string, project service.SandboxProject, kind, path, want string) error {
	came, err := s.webhooks.await(s.ctx, func(r received) bool { return r.door == door && r.body["type"] == kind })
	if err != nil {
		return err
	}
	if !verifyProvider(project.ProviderPublicKeyFile, came.raw, came.header) {
		return fmt.Errorf("the signature of a webhook of %s is wrong", door)
	}
	what := strings.NewReplacer(lastRefund+".status", "the refund", ".status", "").Replace(path)
	s.say("webhook", fmt.Sprintf("%s came, its signature is the provider's: %s is %v", kind, what, dig(came.body, path)))
	return expect(path, dig(came.body, path), want)
}

// full is the documented refund: a session, and nothing else.
func (s *story) full() error {
	s.title("1. A full refund, as a client of Smart Glocal sends it",
		"The client is unchanged: only its base URL points here. Refundry answers in Smart Glocal's own words.")
	project := s.file.SmartGlocal
	session, err := s.pay("smartglocal", project, "usd")
	if err != nil {
		return err
	}
	if err := s.books.ParseDecimal(strings.TrimPrefix(session, "ps_")); err != nil {
		return err
	}
	body := `{"session_id":"` + session + `"}`
	if err := s.refundSession("smartglocal", project, body, "10000"); err != nil {
		return err
	}
	return s.refused(project, body)
}

// refundSession refunds and waits for the webhook that says it is done.
func (s *story) refundSession(door string, project service.SandboxProject, body, amount string) error {
	status, answer, err := s.merchant.signed(project, "session/refund", body)
	if err != nil {
		return err
	}
	if err := expect("the answer to session/refund", status, http.StatusOK); err != nil {
		return err
	}
	s.say("merchant", "POST /api/v1/session/refund "+short(body))
	s.say("Refundry", fmt.Sprintf("accepted, durable, reserved: session %v, refund %v",
		dig(answer, "session.status"), dig(answer, lastRefund+".status")))
	if err := expect("the refund's amount", dig(answer, lastRefund+".amount_details.amount"), amount); err != nil {
		return err
	}
	return s.told(door, project, "payment_refunded", lastRefund+".status", "accepted")
}

// refused asks for what cannot be given.
func (s *story) refused(project service.SandboxProject, body string) error {
	status, answer, err := s.merchant.signed(project, "session/refund", body)
	if err != nil {
		return err
	}
	s.say("merchant", "and once more: POST /api/v1/session/refund "+short(body))
	s.say("Refundry", fmt.Sprintf("no: %d %v, %v", status, dig(answer, "error.code"), dig(answer, "error.description")))
	return expect("the answer to a refund of too much", status, http.StatusBadRequest)
}

// short leaves the middle of long ids out.
func short(text string) string {
	words := strings.Split(text, `"`)
	for i, word := range words {
		if len(word) > 24 && strings.Contains(word, "_") {
			words[i] = word[:7] + "…" + word[len(word)-4:]
		}
	}
	return strings.Join(words, `"`)
}

// partial gives a payment back in three parts.
func (s *story) partial() error {
	s.title("2. Partial refunds, as a client of Pike sends them",
		"The same protocol, another brand. The parts can never add up to more than the whole.")
	project := s.file.Pike
	session, err := s.pay("pike", project, "rub")
	if err != nil {
		return err
	}
	part := `{"session_id":"` + session + `","amount_details":{"amount":%s,"currency":"rub"}}`
	for _, amount := range []string{"1000", "2500", "6500"} {
		if err := s.refundSession("pike", project, fmt.Sprintf(part, amount), amount); err != nil {
			return err
		}
	}
	return s.refused(project, fmt.Sprintf(part, "1"))
}

// unified is the own API: items, replays, and a precise no.
func (s *story) unified() error {
	s.title("3. Refundry's own API: line items, safe repeats",
		"One API before all processors. A repeated request with the same key is answered again, never done again.")
	_, paid, err := s.merchant.own(http.MethodPost, "/v1/payments", `{"amount":3000,"currency":"EUR",`+
		`"items":[{"name":"Three mugs","quantity":3,"unit_amount":1000,"total":3000,"tax":479}]}`, "")
	if err != nil {
		return err
	}
	body := fmt.Sprintf(`{"payment":"%v","currency":"EUR","items":[{"position":1,"quantity":1}]}`, paid["id"])
	status, first, err := s.merchant.own(http.MethodPost, "/v1/refunds", body, "order-9-mug-1")
	if err != nil {
		return err
	}
	s.say("merchant", "POST /v1/refunds: one of three mugs, Idempotency-Key: order-9-mug-1")
	s.say("Refundry", fmt.Sprintf("%d %v: %v minor units, tax included to the cent", status, first["status"], first["amount"]))
	_, second, err := s.merchant.own(http.MethodPost, "/v1/refunds", body, "order-9-mug-1")
	if err != nil {
		return err
	}
	s.say("merchant", "the same request again: its answer was lost on the way, say")
	s.say("Refundry", "the same refund, not a second one")
	if err := expect("the repeated refund", second["id"], first["id"]); err != nil {
		return err
	}
	if err := s.toldOwn(fmt.Sprint(first["id"]), "refund.succeeded"); err != nil {
		return err
	}
	status, no, err := s.merchant.own(http.MethodPost, "/v1/refunds",
		fmt.Sprintf(`{"payment":"%v","currency":"EUR","amount":2001}`, paid["id"]), "")
	if err != nil {
		return err
	}
	s.say("merchant", "POST /v1/refunds: 20.01 of the 20.00 that are left")
	s.say("Refundry", fmt.Sprintf("no: %d %v, refundable: %v", status, no["code"], no["refundable"]))
	return expect("the code", no["code"], "refundable_amount_exceeded")
}

// toldOwn waits for a webhook of our own and verifies it.
func (s *story) toldOwn(refund, kind string) error {
	came, err := s.webhooks.await(s.ctx, func(r received) bool {
		return r.door == "api" && r.body["type"] == kind && dig(r.body, "data.refund.id") == refund
	})
	if err != nil {
		return err
	}
	if !verifyStandard(s.file.API.WebhookSecret, came.raw, came.header) {
		return fmt.Errorf("the signature of %s is wrong", kind)
	}
	s.say("webhook", kind+" came, signed as Standard Webhooks asks for")
	return nil
}

// outside is what goes wrong out there.
func (s *story) outside() error {
	s.title("4. What goes wrong outside",
		"The sandbox processor behaves badly on demand: the last four digits of an amount choose how.")
	for _, trouble := range []struct {
		amount int
		what   string
		end    string
		moved  float64
	}{
		{9001, "the issuer declines: the amount is free again", "declined", 0},
		{9005, "no answer, but money moved: unknown until an inquiry finds it, never paid twice", "succeeded", 1},
		{9006, "no answer, and nothing arrived: the same attempt is sent again, once", "succeeded", 1},
		{9007, "it succeeds, and days later the money comes back", "returned", 1},
	} {
		if err := s.trouble(trouble.amount, trouble.what, trouble.end, trouble.moved); err != nil {
			return err
		}
	}
	return nil
}

// trouble asks for one refund that meets trouble, and lets the clock run.
func (s *story) trouble(amount int, what, end string, moved float64) error {
	_, paid, err := s.merchant.own(http.MethodPost, "/v1/payments", `{"amount":20000,"currency":"EUR"}`, "")
	if err != nil {
		return err
	}
	_, refund, err := s.merchant.own(http.MethodPost, "/v1/refunds",
		fmt.Sprintf(`{"payment":"%v","currency":"EUR","amount":%d}`, paid["id"], amount), "")
	if err != nil {
		return err
	}
	s.say("outside", fmt.Sprintf("%d: %s", amount, what))
	id := fmt.Sprint(refund["id"])
	for s.ctx.Err() == nil {
		_, now, err := s.merchant.own(http.MethodGet, "/v1/refunds/"+id, "", "")
		if err != nil {
			return err
		}
		if now["status"] == end {
			break
		}
		if _, _, err := s.merchant.own(http.MethodPost, "/sandbox/clock", `{"advance":"1s"}`, ""); err != nil {
			return err
		}
	}
	if err := s.toldOwn(id, "refund."+end); err != nil {
		return err
	}
	_, counted, err := s.merchant.own(http.MethodGet, "/sandbox/movements?refund="+id, "", "")
	if err != nil {
		return err
	}
	s.say("Refundry", fmt.Sprintf("the refund is %s; money moved %v times", end, dig(counted, "movements.0.count")))
	return expect("the count of movements", dig(counted, "movements.0.count"), moved)
}

// ledger shows the books of the first payment.
func (s *story) ledger() error {
	s.title("5. The books of the first payment", "Every posting names the account that receives and the one that gives.")
	entries, err := s.service.Entries(s.ctx, s.file.Tenant, s.books)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, entry := range entries {
		for _, posting := range entry.Postings {
			rows = append(rows, []string{
				string(entry.Cause), string(posting.Debit), string(posting.Credit), posting.Amount.String(),
			})
		}
	}
	s.table("ledger", []string{"what happened", "debit", "credit", "amount"}, rows)
	return nil
}

// verify recomputes everything.
func (s *story) verify() error {
	s.title("6. Trust, but verify",
		"Every total, the ledger and the audit chain are recomputed from rows that never change.")
	result, err := s.service.Verify(s.ctx)
	if err != nil {
		return err
	}
	for _, found := range result.Findings {
		s.say("wrong", found.Kind+": "+found.Message)
	}
	s.say("Refundry", fmt.Sprintf("%d payments, %d refunds, %d postings, %d events in %d commits: %d findings",
		result.Payments, result.Refunds, result.Postings, result.Events, result.Commits, len(result.Findings)))
	return expect("the number of findings", len(result.Findings), 0)
}

// tryNext says what can be tried while the server goes on.
func (s *story) tryNext(folder string) {
	file := filepath.Join(folder, "sandbox.json")
	s.title("The server goes on at "+s.file.BaseURL, "Credentials of the demo tenant: "+file+"\nTry:")
	for _, line := range []string{
		`curl -H 'Authorization: Bearer ` + s.file.API.Key + `' ` + s.file.BaseURL + `/v1/events?limit=5`,
		`curl -H 'Authorization: Bearer ` + s.file.API.Key + `' -H 'Content-Type: application/json' ` +
			`-d '{"amount":5000,"currency":"EUR"}' ` + s.file.BaseURL + `/v1/payments`,
		`curl ` + s.file.BaseURL + `/metrics`,
	} {
		s.say("merchant", line)
	}
	s.say("Refundry", "press Ctrl-C to stop; nothing of this is kept")
}
