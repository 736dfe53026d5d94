package client_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/refundry/refundry/client"
)

// What the reference library signs is taken, and nothing else is.
func TestOnlySignedWebhooksAreRead(t *testing.T) {
	t.Parallel()
	secret := client.Key("whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	oracle, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1772366400, 0)
	body := []byte(`{"type": "refund.succeeded", "timestamp": "2026-03-01T12:00:00.000000Z", "sequence": 3, "data": {"refund": {"id": "rfd_1", "amount": 5, "currency": "JPY"}}}`)
	signature, err := oracle.Sign("dlv_1", at, body)
	if err != nil {
		t.Fatal(err)
	}
	header := func(id, stamp, signature string) http.Header {
		return http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}
	}
	stamp := fmt.Sprint(at.Unix())
	for _, signatures := range []string{signature, "v1,AAAA " + signature, "v1a,AAAA v2," + signature + " " + signature} {
		got, err := client.VerifyWebhook(secret, header("dlv_1", stamp, signatures), body, at.Add(client.WebhookTolerance))
		if err != nil || got.Refund == nil || got.Refund.Minor != 5 || got.Sequence != 3 || !got.AttemptAt.Equal(at) {
			t.Errorf("%s: got %+v, %v", signatures, got, err)
		}
	}
	for name, bad := range map[string]struct {
		secret client.Key
		header http.Header
		body   string
		now    time.Time
	}{
		"another secret":    {client.Key("whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("j", 32)))), header("dlv_1", stamp, signature), string(body), at},
		"no secret":         {"", header("dlv_1", stamp, signature), string(body), at},
		"another id":        {secret, header("dlv_2", stamp, signature), string(body), at},
		"another time":      {secret, header("dlv_1", fmt.Sprint(at.Unix()+1), signature), string(body), at},
		"another body":      {secret, header("dlv_1", stamp, signature), string(body) + " ", at},
		"another version":   {secret, header("dlv_1", stamp, strings.Replace(signature, "v1,", "v2,", 1)), string(body), at},
		"a cut signature":   {secret, header("dlv_1", stamp, signature[:len(signature)-4]), string(body), at},
		"no signature":      {secret, header("dlv_1", stamp, ""), string(body), at},
		"an old one":        {secret, header("dlv_1", stamp, signature), string(body), at.Add(client.WebhookTolerance + time.Second)},
		"one to come":       {secret, header("dlv_1", stamp, signature), string(body), at.Add(-client.WebhookTolerance - time.Second)},
		"no time":           {secret, header("dlv_1", "soon", signature), string(body), at},
		"nothing":           {secret, http.Header{}, "", at},
		"a signature of it": {secret, header("dlv_1", stamp, "v1,"+base64.StdEncoding.EncodeToString(body)), string(body), at},
	} {
		if got, err := client.VerifyWebhook(bad.secret, bad.header, []byte(bad.body), bad.now); !errors.Is(err, client.ErrWebhook) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}
