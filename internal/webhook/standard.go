package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// StandardSchedule is when Standard Webhooks suggests attempts, counted from
// the first, and StandardTimeout how long each may take.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
var StandardSchedule = []time.Duration{
	0, 5 * time.Second, 5 * time.Minute, 35 * time.Minute, 2*time.Hour + 35*time.Minute, 7*time.Hour + 35*time.Minute,
	17*time.Hour + 35*time.Minute, 31*time.Hour + 35*time.Minute, 51*time.Hour + 35*time.Minute,
	75*time.Hour + 35*time.Minute,
}

// StandardTimeout is how long an attempt of our own API may take.
const StandardTimeout = 15 * time.Second

// SignStandard returns the headers of a Standard Webhooks attempt: v1,
// HMAC-SHA256 over id, time and body.
func SignStandard(secret []byte, letter Letter) http.Header {
	id := letter.Delivery.String()
	at := strconv.FormatInt(letter.At.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(letter.Body)
	return http.Header{
		"Content-Type":      {"application/json"},
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {at},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}
