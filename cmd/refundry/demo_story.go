package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
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
	first    payment.PaymentID // its ledger is shown
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
			"keeps the books, and tells the merchant by signed webhooks. Here is a sandbox at work, over real HTTP:\n"+
			"the merchant and its webhook receiver are real programs, only the processor's money is not.")
	chapters := []func() error{s.full, s.doors, s.unified, s.outside, s.books, s.verify}
	for _, chapter := range chapters {
		if err := chapter(); err != nil {
			s.say(differs, "%s", err)
			s.end("This is not as it should be.", map[string]any{"is_as_it_should_be": false})
			return exitError(1)
		}
	}
	took := machineTime().Sub(s.began)
	s.end(fmt.Sprintf("Every refund came to the end that it should, and the books agree, after %.1f s.", took.Seconds()),
		map[string]any{"is_as_it_should_be": true, "ms": took.Milliseconds()})
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

// quietly returns the story without its voice: what happens is shown later.
func (s *story) quietly() *story {
	silent := *s
	silent.timeline.t = &terminal{stdout: io.Discard}
	return &silent
}

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
	s.say(asks, "POST /api/v1/session/init/payment, signed by RSA: take 100.00 %s", strings.ToUpper(currency))
	s.say(answers, "session %s", short(session))
	_, err = s.told(door, project, "payment_finished", "session.status")
	return session, err
}

// told waits for a webhook of a provider's, verifies it as the provider's
// documents say, and expects that something in it is accepted.
func (s *story) told(door string, project service.SandboxProject, kind, path string) (answered, error) {
	came, err := s.webhooks.await(s.ctx, func(r received) bool { return r.door == door && r.body["type"] == kind })
	if err != nil {
		return nil, err
	}
	if !verifyProvider(project.ProviderPublicKeyFile, came.raw, came.header) {
		return nil, fmt.Errorf("the signature of a webhook of %s is wrong", door)
	}
	s.say(tells, "webhook %s, verified with the provider's public key: %v", kind, dig(came.body, path))
	return came.body, expect(kind, dig(came.body, path), "accepted")
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
	if err := s.first.ParseDecimal(strings.TrimPrefix(session, "ps_")); err != nil {
		return err
	}
	body := `{"session_id":"` + session + `"}`
	if _, err := s.refundSession("smartglocal", project, body, 10000); err != nil {
		return err
	}
	return s.refused(project, body, "the same again: all of it was given back already")
}

// refundSession refunds, waits for the webhook that says it is done, and
// returns what that says.
func (s *story) refundSession(door string, project service.SandboxProject, body string, amount int) (answered, error) {
	status, answer, err := s.merchant.signed(project, "session/refund", body)
	if err != nil {
		return nil, err
	}
	s.say(asks, "POST /api/v1/session/refund %s", short(body))
	if err := expect("the answer to session/refund", status, http.StatusOK); err != nil {
		return nil, err
	}
	s.say(answers, "session %v, refund %v: on disk, its amount reserved", dig(answer, "session.status"), dig(answer, lastRefund+".status"))
	if err := errors.Join(
		expect("the session", dig(answer, "session.status"), "in_progress"),
		expect("the refund's amount", dig(answer, lastRefund+".amount_details.amount"), amount),
	); err != nil {
		return nil, err
	}
	return s.told(door, project, "payment_refunded", lastRefund+".status")
}

// refused asks for what cannot be given.
func (s *story) refused(project service.SandboxProject, body, what string) error {
	status, answer, err := s.merchant.signed(project, "session/refund", body)
	if err != nil {
		return err
	}
	s.say(asks, "%s", what)
	s.say(answers, "no: %d %v, %v", status, dig(answer, "error.code"), dig(answer, "error.description"))
	return errors.Join(
		expect("the answer to a refund of too much", status, http.StatusBadRequest),
		expect("its code", dig(answer, "error.code"), "invalid_request"),
	)
}

// short leaves the middle of long ids out.
func short(text string) string {
	return longID.ReplaceAllString(text, "$1…$2")
}

var longID = regexp.MustCompile(`((?:ps|pay|rfd)_\w{3})\w{12,}(\w{4})\b`)

// unified is the own API: items, replays, and a precise no.
func (s *story) unified() error {
	s.title("3. Refundry's own API: line items, safe repeats",
		"One API before all processors. A repeated request with the same key is answered again, never done again.")
	status, paid, err := s.merchant.own(http.MethodPost, "/v1/payments", `{"amount":3000,"currency":"EUR",`+
		`"items":[{"name":"Three mugs","quantity":3,"unit_amount":1000,"total":3000,"tax":479}]}`, "")
	if err != nil {
		return err
	}
	if err := expect("the answer to POST /v1/payments", status, http.StatusCreated); err != nil {
		return err
	}
	s.say(asks, "POST /v1/payments: 30.00 EUR for three mugs")
	if err := s.refundItem(paid["id"]); err != nil {
		return err
	}
	status, no, err := s.merchant.own(http.MethodPost, "/v1/refunds",
		fmt.Sprintf(`{"payment":"%v","currency":"EUR","amount":2001}`, paid["id"]), "")
	if err != nil {
		return err
	}
	s.say(asks, "POST /v1/refunds: 20.01 EUR of the 20.00 that are left")
	s.say(answers, "no: %d %v, refundable: %v", status, no["code"], no["refundable"])
	return errors.Join(
		expect("the answer", status, http.StatusConflict), expect("its code", no["code"], "refundable_amount_exceeded"),
		expect("what is refundable", no["refundable"], 2000),
	)
}

// refundItem refunds one of three mugs, and sends the request once more.
func (s *story) refundItem(paid any) error {
	body := fmt.Sprintf(`{"payment":"%v","currency":"EUR","items":[{"position":1,"quantity":1}]}`, paid)
	key := fmt.Sprintf("first-mug-of-%v", paid)
	status, first, err := s.merchant.own(http.MethodPost, "/v1/refunds", body, key)
	if err != nil {
		return err
	}
	s.say(asks, "POST /v1/refunds: one of the mugs, Idempotency-Key: %s", short(key))
	s.say(answers, "%d %v: %v minor units, of which tax %v", status, first["status"], first["amount"], dig(first["items"], "0.tax"))
	if err := errors.Join(
		expect("the answer to POST /v1/refunds", status, http.StatusCreated),
		expect("the refund's amount", first["amount"], 1000),
	); err != nil {
		return err
	}
	_, second, err := s.merchant.own(http.MethodPost, "/v1/refunds", body, key)
	if err != nil {
		return err
	}
	s.say(asks, "the same request again, as if its answer had been lost")
	s.say(answers, "the same refund, not a second one")
	if err := expect("the repeated refund", second["id"], first["id"]); err != nil {
		return err
	}
	return s.toldOwn(fmt.Sprint(first["id"]), "refund.succeeded")
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
	s.say(tells, "webhook %s, verified as Standard Webhooks (HMAC) has it", kind)
	return nil
}
