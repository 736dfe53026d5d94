package auth

import "time"

// ParseEndpointSecret reads a secret as Standard Webhooks spells it.
func ParseEndpointSecret(secret Secret) ([]byte, error) { return parseEndpointSecret(secret) }

// SecretsOf returns what an endpoint's deliveries are signed with.
func SecretsOf(plain []byte, now time.Time) ([][]byte, error) { return secretsOf(plain, now) }

// CheckURL refuses what no webhook can be sent to.
func CheckURL(text string) error { return checkURL(text) }
