package client_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/client"
)

// A webhook is trusted if, and only if, it has the one signature of its id, its time
// and its body, in the one spelling, and was sent now. What is forged or shortened
// never is, and nothing of it is given to a caller.
func FuzzVerifyWebhook(f *testing.F) {
	key := []byte(strings.Repeat("k", 32))
	secret := client.Key("whsec_" + base64.StdEncoding.EncodeToString(key))
	now := time.Unix(1772366400, 0)
	sign := func(id, stamp string, body []byte) string {
		mac := hmac.New(sha256.New, key)
		mac.Write(append([]byte(id+"."+stamp+"."), body...))
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	body, stamp := []byte(`{"type":"refund.succeeded","sequence":3,"data":{"refund":{"id":"rfd_1"}}}`), "1772366400"
	good := sign("dlv_1", stamp, body)
	last := good[len(good)-2:]
	for _, signature := range []string{
		good, "v1," + good, "v1a," + good[3:] + " " + good, good[:len(good)-1], good[:len(good)-4], good + "=", strings.ToUpper(good), "v1,", "v1", "",
		strings.TrimSuffix(good, last) + string(last[0]+1) + "=", good[:20] + " " + good[20:], good + "\n", good + good,
	} {
		f.Add("dlv_1", stamp, body, signature)
		f.Add("dlv_1", stamp, []byte("{}"), signature)
	}
	f.Add("dlv_1."+stamp, "", body, sign("dlv_1."+stamp, "", body))
	f.Add("dlv_1", "9223372036854775807", body, sign("dlv_1", "9223372036854775807", body))
	f.Add("dlv_1", "+1772366400", body, sign("dlv_1", "+1772366400", body))
	f.Add("dlv_1", "1772366100", []byte("no JSON"), sign("dlv_1", "1772366100", []byte("no JSON")))
	f.Add("dlv_1", "1772366099", body, sign("dlv_1", "1772366099", body))
	f.Fuzz(func(t *testing.T, id, stamp string, body []byte, signature string) {
		header := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}
		got, err := client.VerifyWebhook(secret, header, body, now)
		seconds, parseErr := strconv.ParseInt(stamp, 10, 64)
		isNow := parseErr == nil && seconds >= now.Unix()-300 && seconds <= now.Unix()+300
		isSigned := slices.Contains(strings.Fields(signature), sign(id, stamp, body))
		if isTrusted := !errors.Is(err, client.ErrWebhook); isTrusted != (isNow && isSigned) {
			t.Errorf("%q at %q with %q: %v", id, stamp, signature, err)
		}
		if err != nil && !reflect.DeepEqual(got, client.Webhook{}) || err == nil && (got.ID != id || got.AttemptAt.Unix() != seconds) {
			t.Errorf("%q at %q: %+v beside %v", id, stamp, got, err)
		}
		if _, err := client.VerifyWebhook("whsec_", header, body, now); err == nil {
			t.Error("an empty secret is taken")
		}
	})
}

// canned answers every request with the same.
type canned struct {
	status int
	header http.Header
	body   []byte
}

// RoundTrip implements [http.RoundTripper].
func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: c.status, Header: c.header, Body: io.NopCloser(bytes.NewReader(c.body)), Request: r, ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// Whatever answers, a caller hears of it: a no is an [client.Error] with its status,
// whoever wants to be left alone is for a minute at the most, and lists and streams
// end.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		"", "null", "{}", "[]", `{"code":"not_found","detail":"no","refundable":5,"currency":"EUR","errors":[{"pointer":"#/a"}]}`,
		`{"id":"pay_1","amount":5,"currency":"EUR"}`, `{"payments":[{"id":"pay_1"}],"next":"","has_more":true}`, `{"payments":null,"next":null,"has_more":null}`,
		"data: {\"cursor\":\"1-0\"}\n\ndata: {}\n: beat\n", "data: x\n", strings.Repeat("x", 1000), `{"code":1}`, "{\"amount\":1e99}",
	} {
		f.Add(200, "", []byte(body))
		f.Add(404, "1", []byte(body))
		f.Add(503, "9223372036854775807", []byte(body))
		f.Add(429, "Wed, 21 Oct 2099 07:28:00 GMT", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, wait string, body []byte) {
		status = 200 + int(uint(status)%400)
		answer := canned{status, http.Header{"Retry-After": {wait}}, body}
		c, err := client.New(client.Config{BaseURL: "https://refunds.example", Key: "rfk_x", HTTP: &http.Client{Transport: answer}})
		if err != nil {
			t.Fatal(err)
		}
		attempts := 0
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c.Pauses(func(_ int, wanted time.Duration) {
			if attempts++; wanted < 0 || wanted > time.Minute {
				t.Errorf("%q is a pause of %s", wait, wanted)
			}
			if attempts > 8 {
				cancel()
			}
		})
		_, err = c.Payment(ctx, "pay_1")
		var no *client.Error
		if isNo := errors.As(err, &no); isNo != (status >= 300) || isNo && (no.Status != status || no.Error() == "") {
			t.Errorf("%d %q: %v", status, body, err)
		}
		count := 0
		for range c.Payments(ctx, client.PaymentFilter{}) {
			if count++; count > 1000 {
				break
			}
		}
		count = 0
		for _, err := range c.Follow(ctx, "") {
			if count++; count > 100 || err != nil {
				break
			}
		}
	})
}
