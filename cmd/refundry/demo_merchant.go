package main

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/refundry/refundry/internal/service"
)

// merchant is what a merchant's own software does: it signs, sends, listens
// and verifies. It shares no code with the server.
type merchant struct {
	ctx  context.Context //nolint:containedctx // of the story, which the merchant lives in
	file service.SandboxFile
}

// signed calls a method of Smart Glocal or Pike.
func (m merchant) signed(project service.SandboxProject, method, body string) (int, answered, error) {
	signature, err := signature(project.PrivateKeyFile, body)
	if err != nil {
		return 0, nil, err
	}
	return m.send(http.MethodPost, project.BaseURL+"/api/v1/"+method, body, map[string]string{
		"X-PARTNER-PROJECT": project.Project, "X-PARTNER-SIGN": signature,
	})
}

// own calls our own API.
func (m merchant) own(method, path, body, key string) (int, answered, error) {
	header := map[string]string{"Authorization": "Bearer " + m.file.API.Key}
	if key != "" {
		header["Idempotency-Key"] = key
	}
	return m.send(method, m.file.API.BaseURL+path, body, header)
}

// answered is an answer's JSON.
type answered map[string]any

// answerBytesMax bounds what is read of an answer.
const answerBytesMax = 1 << 20

func (m merchant) send(method, url, body string, header map[string]string) (int, answered, error) {
	request, err := http.NewRequestWithContext(m.ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	content, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return 0, nil, err
	}
	var answer answered
	if len(content) == 0 {
		return response.StatusCode, answer, nil
	}
	if err := json.Unmarshal(content, &answer); err != nil {
		return 0, nil, fmt.Errorf("answer %d is not JSON: %w", response.StatusCode, err)
	}
	return response.StatusCode, answer, nil
}

// signature signs a body as Smart Glocal and Pike ask for.
func signature(keyFile, body string) (string, error) {
	block, err := readPEM(keyFile)
	if err != nil {
		return "", err
	}
	key, err := x509.ParsePKCS8PrivateKey(block)
	if err != nil {
		return "", err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return "", errors.New("no RSA key")
	}
	sum := sha256.Sum256([]byte(body))
	raw, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(raw), err
}

func readPEM(path string) ([]byte, error) {
	text, err := os.ReadFile(path) //nolint:gosec // of the demo tenant
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	return block.Bytes, nil
}

// verifyProvider checks a webhook's signature against the provider's public key.
func verifyProvider(keyFile string, body []byte, header http.Header) bool {
	public, err := os.ReadFile(keyFile) //nolint:gosec // of the demo tenant
	return err == nil && verifyRSA(string(public), body, header.Get("X-Partner-Sign"))
}

// isSignedBy checks RSA PKCS #1 v1.5 with SHA-256.
func isSignedBy(key *rsa.PublicKey, body, signature []byte) bool {
	sum := sha256.Sum256(body)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}

// verifyStandard checks a webhook's signature as Standard Webhooks has it.
func verifyStandard(secret string, body []byte, header http.Header) bool {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte(header.Get("Webhook-Id") + "." + header.Get("Webhook-Timestamp") + "."))
	mac.Write(body)
	for signature := range strings.SplitSeq(header.Get("Webhook-Signature"), " ") {
		text, isShared := strings.CutPrefix(signature, "v1,")
		given, err := base64.StdEncoding.DecodeString(text)
		if isShared && err == nil && hmac.Equal(mac.Sum(nil), given) {
			return true
		}
	}
	return false
}
