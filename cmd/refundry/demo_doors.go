package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/refundry/refundry/internal/service"
)

// part is what each door is asked to give back of 100.00, and then once more
// with a cent too much.
const (
	part    = 2500
	tooMuch = 7501
)

// played is what one door was asked, what it answered and what its webhook
// said, twice: for a part, and for more than is left.
type played struct {
	door                    string
	asked, answered, heard  string
	askedMore, answeredMore string
}

// doors plays the same refund at every provider's front door, as that
// provider's own clients would, and shows all of them side by side.
func (s *story) doors() error {
	s.title("2. The same refund at five front doors",
		"Five providers, five sets of paths, words, signatures and answers; clients of each work unchanged. Each door\n"+
			"takes 100.00, gives 25.00 back, and is asked for one cent more than the 75.00 that are left. Every webhook's\n"+
			"signature is verified as its provider's documents say.")
	var rows, refusals [][]string
	for _, play := range []func() (played, error){
		func() (played, error) { return s.playSession("smartglocal", "Smart Glocal", s.file.SmartGlocal, "usd") },
		func() (played, error) { return s.playSession("pike", "Pike", s.file.Pike, "rub") },
		s.playPing, s.playCHIP, s.playPrimer,
	} {
		p, err := play()
		if err != nil {
			return err
		}
		rows = append(rows, []string{p.door, p.asked, p.answered, p.heard})
		refusals = append(refusals, []string{p.door, p.askedMore, p.answeredMore})
	}
	s.table("doors", []string{"front door", "asked", "answered", "webhook"}, rows)
	s.table("refusals", []string{"front door", "asked for too much", "answered"}, refusals)
	return nil
}

// playSession plays Smart Glocal or Pike.
func (s *story) playSession(door, name string, project service.SandboxProject, currency string) (played, error) {
	p := played{door: name, asked: "POST session/refund 2500", askedMore: "POST session/refund 7501"}
	session, err := s.quietly().pay(door, project, currency)
	if err != nil {
		return p, err
	}
	body := `{"session_id":"` + session + `","amount_details":{"amount":%d,"currency":"` + currency + `"}}`
	status, answer, err := s.merchant.signed(project, "session/refund", fmt.Sprintf(body, part))
	if err != nil {
		return p, err
	}
	if err := expect("the answer to session/refund", status, http.StatusOK); err != nil {
		return p, err
	}
	p.answered = fmt.Sprintf("200 session %v, refund %v", dig(answer, "session.status"), dig(answer, lastRefund+".status"))
	came, err := s.quietly().told(door, project, "payment_refunded", lastRefund+".status")
	if err != nil {
		return p, err
	}
	p.heard = fmt.Sprintf("payment_refunded: %v (RSA)", dig(came, lastRefund+".status"))
	if status, answer, err = s.merchant.signed(project, "session/refund", fmt.Sprintf(body, tooMuch)); err != nil {
		return p, err
	}
	p.answeredMore = fmt.Sprintf("%d %v: %v", status, dig(answer, "error.code"), dig(answer, "error.description"))
	return p, expect("the refusal", status, http.StatusBadRequest)
}

// playPing plays Ping Payments: a payment order, a payment, and a refund with
// the order items as they remain.
func (s *story) playPing() (played, error) {
	p := played{door: "Ping Payments", asked: "POST …/refund 2500, items 7500", askedMore: "POST …/refund 7501, items 0"}
	ping := s.file.Ping
	call := func(method, path, body string) (int, answered, error) {
		return s.merchant.send(method, ping.BaseURL+"api/v1/"+path, body, map[string]string{
			"tenant_id": ping.TenantID, "x-api-secret": ping.Secret,
		})
	}
	_, key, err := call(http.MethodPost, "signing_key/generate", "")
	if err != nil {
		return p, err
	}
	if _, _, err := call(http.MethodPut, "tenant",
		`{"payment_refund_callback_url":"`+s.webhooks.url+`/ping"}`); err != nil {
		return p, err
	}
	_, order, err := call(http.MethodPost, "payment_orders", `{"currency":"SEK"}`)
	if err != nil {
		return p, err
	}
	item := `{"name":"Mug","amount":%d,"vat_rate":25,"merchant_id":"3f1c0d8e-2b6a-4c57-9e0d-5a4b3c2d1e0f"}`
	_, payment, err := call(http.MethodPost, fmt.Sprintf("payment_orders/%v/payments", order["id"]),
		`{"currency":"SEK","total_amount":10000,"provider":"dummy","method":"dummy","order_items":[`+fmt.Sprintf(item, 10000)+
			`],"provider_method_parameters":{"desired_payment_status":"COMPLETED"}}`)
	if err != nil {
		return p, err
	}
	path := fmt.Sprintf("payment_orders/%v/payments/%v/refund", order["id"], payment["id"])
	body := `{"amount":%d,"currency":"SEK","reason":"requested_by_customer","order_items":[%s]}`
	status, answer, err := call(http.MethodPost, path, fmt.Sprintf(body, part, fmt.Sprintf(item, 10000-part)))
	if err != nil {
		return p, err
	}
	if err := expect("the answer to Ping's refund", status, http.StatusOK); err != nil {
		return p, err
	}
	p.answered = fmt.Sprintf("200 refund %v", answer["status"])
	came, err := s.webhooks.await(s.ctx, func(r received) bool { return r.door == "ping" && r.body["status"] == "COMPLETED" })
	if err != nil {
		return p, err
	}
	if !verifyEd25519(fmt.Sprint(key["public_key"]), came.raw, came.header.Get("Signature")) {
		return p, errors.New("the signature of Ping's callback is wrong")
	}
	p.heard = fmt.Sprintf("callback: %v (Ed25519)", came.body["status"])
	if status, answer, err = call(http.MethodPost, path, fmt.Sprintf(body, tooMuch, "")); err != nil {
		return p, err
	}
	p.answeredMore = fmt.Sprintf("%d %v", status, dig(answer, "errors.0.error"))
	return p, expect("the refusal", status, http.StatusUnprocessableEntity)
}

// playCHIP plays CHIP: a purchase that its payer pays with a test card, and a
// refund whose answer is the outcome.
func (s *story) playCHIP() (played, error) {
	p := played{door: "CHIP", asked: "POST …/refund/ 2500", askedMore: "POST …/refund/ 7501"}
	chip := s.file.CHIP
	call := func(path, body string) (int, answered, error) {
		return s.merchant.send(http.MethodPost, chip.BaseURL+path, body, map[string]string{"Authorization": "Bearer " + chip.Key})
	}
	_, hook, err := call("webhooks/", `{"title":"Demo","events":["payment.refunded"],"callback":"`+s.webhooks.url+`/chip"}`)
	if err != nil {
		return p, err
	}
	_, purchase, err := call("purchases/", `{"brand_id":"`+chip.BrandID+`","client":{"email":"payer@example.com"},`+
		`"purchase":{"currency":"MYR","products":[{"name":"Mug","price":10000}]},`+
		`"success_redirect":"https://shop.example/yes","failure_redirect":"https://shop.example/no"}`)
	if err != nil {
		return p, err
	}
	if err := s.payByCard(fmt.Sprint(purchase["direct_post_url"])); err != nil {
		return p, err
	}
	path := fmt.Sprintf("purchases/%v/refund/", purchase["id"])
	status, answer, err := call(path, fmt.Sprintf(`{"amount":%d}`, part))
	if err != nil {
		return p, err
	}
	if err := expect("the answer to CHIP's refund", status, http.StatusOK); err != nil {
		return p, err
	}
	p.answered = fmt.Sprintf("200 %v %v", answer["type"], answer["status"])
	came, err := s.webhooks.await(s.ctx, func(r received) bool {
		return r.door == "chip" && r.body["event_type"] == "payment.refunded"
	})
	if err != nil {
		return p, err
	}
	if !verifyRSA(fmt.Sprint(hook["public_key"]), came.raw, came.header.Get("X-Signature")) {
		return p, errors.New("the signature of CHIP's webhook is wrong")
	}
	p.heard = fmt.Sprintf("%v: %v (RSA)", came.body["event_type"], came.body["status"])
	if status, answer, err = call(path, fmt.Sprintf(`{"amount":%d}`, tooMuch)); err != nil {
		return p, err
	}
	p.answeredMore = fmt.Sprintf("%d amount %v: %v", status, dig(answer, "amount.0.code"), dig(answer, "amount.0.message"))
	return p, expect("the refusal", status, http.StatusBadRequest)
}

// payByCard pays a purchase as its payer's browser would.
func (s *story) payByCard(to string) error {
	form := url.Values{
		"cardholder_name": {"A Payer"}, "card_number": {"4444333322221111"}, "expires": {"12/39"}, "cvc": {"123"},
	}
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Do(request)
	if err != nil {
		return err
	}
	return errors.Join(response.Body.Close(), expect("where the payer is sent", response.Header.Get("Location"),
		"https://shop.example/yes"))
}

// playPrimer plays Primer: the answer to everything is the whole payment.
func (s *story) playPrimer() (played, error) {
	p := played{door: "Primer", asked: "POST …/refund 2500", askedMore: "POST …/refund 7501"}
	primer := s.file.Primer
	call := func(path, body string) (int, answered, error) {
		return s.merchant.send(http.MethodPost, primer.BaseURL+path, body, map[string]string{
			"X-API-KEY": primer.Key, "X-API-VERSION": "2.4",
		})
	}
	_, paid, err := call("/payments",
		`{"orderId":"order-7","currencyCode":"EUR","amount":10000,"paymentMethodToken":"demo-token"}`)
	if err != nil {
		return p, err
	}
	path := fmt.Sprintf("/payments/%v", paid["id"])
	if _, _, err := call(path+"/capture", ""); err != nil {
		return p, err
	}
	status, answer, err := call(path+"/refund", fmt.Sprintf(`{"amount":%d}`, part))
	if err != nil {
		return p, err
	}
	if err := expect("the answer to Primer's refund", status, http.StatusOK); err != nil {
		return p, err
	}
	p.answered = fmt.Sprintf("200 payment %v, REFUND %v", answer["status"], dig(answer, "transactions.last.processorStatus"))
	came, err := s.webhooks.await(s.ctx, func(r received) bool {
		return r.door == "primer" && r.body["eventType"] == "PAYMENT.REFUND"
	})
	if err != nil {
		return p, err
	}
	if !verifyHMAC(primer.WebhookSecret, came.raw, came.header.Get("X-Signature-Primary")) {
		return p, errors.New("the signature of Primer's webhook is wrong")
	}
	p.heard = fmt.Sprintf("PAYMENT.REFUND: %v (HMAC)", dig(came.body, "payment.transactions.last.processorStatus"))
	if status, answer, err = call(path+"/refund", fmt.Sprintf(`{"amount":%d}`, tooMuch)); err != nil {
		return p, err
	}
	p.answeredMore = fmt.Sprintf("%d %v", status, dig(answer, "error.errorId"))
	return p, expect("the refusal", status, http.StatusUnprocessableEntity)
}

// verifyEd25519 checks a signature in Base64 against a raw public key in Base64.
func verifyEd25519(public string, body []byte, signature string) bool {
	key, keyErr := base64.StdEncoding.DecodeString(public)
	raw, err := base64.StdEncoding.DecodeString(signature)
	return keyErr == nil && err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, body, raw)
}

// verifyHMAC checks an HMAC with SHA-256 in Base64. The secret's bytes are the key.
func verifyHMAC(secret string, body []byte, signature string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	given, err := base64.StdEncoding.DecodeString(signature)
	return err == nil && hmac.Equal(mac.Sum(nil), given)
}

// verifyRSA checks a signature against a public key, as PEM.
func verifyRSA(public string, body []byte, signature string) bool {
	block, _ := pem.Decode([]byte(public))
	if block == nil {
		return false
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := parsed.(*rsa.PublicKey)
	raw, decodeErr := base64.StdEncoding.DecodeString(signature)
	return err == nil && ok && decodeErr == nil && isSignedBy(key, body, raw)
}
