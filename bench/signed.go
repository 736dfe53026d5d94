package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"runtime"
	"sync"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
)

// sign makes and signs a Smart Glocal refund of every payment. A payment made
// at the own API is a session of the same number.
func (w *world) sign(ctx context.Context, s *server, file service.SandboxFile, count int) error {
	key, err := readKey(file.SmartGlocal.PrivateKeyFile)
	if err != nil {
		return err
	}
	w.signed = make([][]byte, count)
	var failed error
	var mutex sync.Mutex
	var running sync.WaitGroup
	for worker := range runtime.NumCPU() {
		running.Go(func() {
			for n := worker; n < count && ctx.Err() == nil; n += runtime.NumCPU() {
				body, err := sessionRefund(s.payments[n])
				var signature string
				if err == nil {
					signature, err = signBody(key, body)
				}
				if err != nil {
					mutex.Lock()
					failed = errors.Join(failed, err)
					mutex.Unlock()
					return
				}
				w.signed[n] = request("/api/v1/session/refund", http.Header{
					"X-Partner-Project": {file.SmartGlocal.Project}, "X-Partner-Sign": {signature},
				}, body)
			}
		})
	}
	running.Wait()
	return failed
}

func sessionRefund(id string) ([]byte, error) {
	var of payment.PaymentID
	if err := of.Parse(id); err != nil {
		return nil, err
	}
	return []byte(`{"session_id":"ps_` + of.Decimal() + `","amount_details":{"amount":1,"currency":"eur"}}`), nil
}

func readKey(path string) (*rsa.PrivateKey, error) {
	text, err := os.ReadFile(path) //nolint:gosec // of the demo tenant
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM in the key file")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("no RSA key in the key file")
	}
	return private, nil
}

func signBody(key *rsa.PrivateKey, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(signature), err
}

// dialectWork is (d): refunds through Smart Glocal, signed beforehand.
func (w *world) dialectWork(int) work {
	return func(ctx context.Context) (func() (int, error), error) {
		c, err := dial(ctx, w.paused.address)
		if err != nil {
			return nil, err
		}
		return func() (int, error) {
			_, err := c.send(w.signed[w.count.Add(1)%int64(len(w.signed))], http.StatusOK)
			return 1, err
		}, nil
	}
}
