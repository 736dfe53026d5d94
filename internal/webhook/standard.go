package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// StandardSchedule is when attempts are made, counted from the first, with the
// pauses that Standard Webhooks suggests. The last is made after three days.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
var StandardSchedule = counted(
	0, 5*time.Second, 5*time.Minute, 30*time.Minute, 2*time.Hour, 5*time.Hour, 10*time.Hour, 14*time.Hour, 20*time.Hour,
	24*time.Hour,
)

// counted turns pauses into times since the first attempt.
func counted(pauses ...time.Duration) []time.Duration {
	for i := 1; i < len(pauses); i++ {
		pauses[i] += pauses[i-1]
	}
	return pauses
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
