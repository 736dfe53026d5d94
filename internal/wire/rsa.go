package wire

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// How long RSA keys are, in bits. Beyond the most, a signature takes too long
// to verify.
const (
	RSABitsMin = 2048
	RSABitsMax = 8192
	rsaBits    = 2048 // of keys that are made here
)

// ErrRSAKey means that a key is not PEM of an RSA key of a length that is
// taken. It never repeats the key.
var ErrRSAKey = errors.New("not PEM of an RSA key of 2048 to 8192 bits")

// NewRSAKey returns a fresh private key, as PKCS #8, and its public part as PEM.
func NewRSAKey() (private []byte, public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, "", fmt.Errorf("make a key pair: %w", err)
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, "", fmt.Errorf("make a key pair: %w", err)
	}
	public, err = RSAPublicKey(private)
	return private, public, err
}

// RSAPublicKey returns the public part, as PEM, of a private key in PKCS #8.
func RSAPublicKey(private []byte) (string, error) {
	key, err := ParseRSAPrivateKey(private)
	if err != nil {
		return "", err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", fmt.Errorf("write a public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), nil
}

// ParseRSAPrivateKey reads a private key of ours, in PKCS #8.
func ParseRSAPrivateKey(private []byte) (*rsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("read a private key: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("a private key is no RSA key")
	}
	return key, nil
}

// ParseRSAPublicKey reads somebody's public key from PEM; [ErrRSAKey].
func ParseRSAPublicKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, ErrRSAKey
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if block.Type == "RSA PUBLIC KEY" {
		parsed, err = x509.ParsePKCS1PublicKey(block.Bytes)
	}
	if err != nil {
		return nil, ErrRSAKey
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < RSABitsMin || key.N.BitLen() > RSABitsMax {
		return nil, ErrRSAKey
	}
	return key, nil
}

// SignRSA returns the signature of a body: RSA PKCS #1 v1.5 with SHA-256, in
// standard padded Base64.
func SignRSA(key *rsa.PrivateKey, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

// VerifyRSA reports whether a signature, as [SignRSA] spells it and on one
// line, is of a body's bytes as received.
func VerifyRSA(key *rsa.PublicKey, body []byte, signature string) bool {
	raw, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != signature {
		return false
	}
	sum := sha256.Sum256(body)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}
