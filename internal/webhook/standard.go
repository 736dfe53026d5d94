package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
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

// StandardKeys is what deliveries of our own API are signed with.
type StandardKeys struct {
	Secrets [][]byte           // v1, the newest first: during a rotation the one before signs too
	Private ed25519.PrivateKey // v1a; nil: not signed so
}

// SignStandard returns the headers of a Standard Webhooks attempt, over id,
// time and body: v1 is HMAC-SHA256 with a shared secret, v1a Ed25519.
func SignStandard(keys StandardKeys, letter Letter) http.Header {
	id := letter.Delivery.String()
	at := strconv.FormatInt(letter.Sent.Unix(), 10)
	signed := append([]byte(id+"."+at+"."), letter.Body...)
	var signatures []string
	for _, secret := range keys.Secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(signed)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if keys.Private != nil {
		signatures = append(signatures, "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(keys.Private, signed)))
	}
	return http.Header{
		"Content-Type":      {"application/json"},
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {at},
		"Webhook-Signature": {strings.Join(signatures, " ")},
	}
}
