package smartglocal

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"sync"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// KindProject is the kind of credential that a project is. Its lookup is the
// project's name, its public part a [projectFile], its secret the key with
// which we, as the provider, sign webhooks (PKCS #8).
const KindProject auth.Kind = "project"

// keyBitsMin is how long a merchant's key must be (C19).
const (
	keyBitsMin      = 2048
	keyBitsMax      = 8192 // beyond it a signature takes too long to verify
	providerKeyBits = 2048
	publicKeysMax   = 10
	projectNameMax  = 100 // bytes
)

// projectFile is what is kept of a project that is not secret.
type projectFile struct {
	Brand       Brand    `json:"brand"`
	PublicKeys  []string `json:"public_keys"`  // PEM, the merchant's: any of them signs
	ProviderKey string   `json:"provider_key"` // PEM, ours: verifies webhooks
}

// project is a project, ready for use.
type project struct {
	brand  Brand
	keys   []*rsa.PublicKey
	signer *rsa.PrivateKey // nil until a webhook is signed

	public string // what it was read from
}

// projects remembers projects that were read: a key is parsed once.
type projects struct {
	mutex sync.Mutex
	known map[auth.CredentialID]*project
}

// projectsMax bounds what is remembered.
const projectsMax = 1000

// read returns a credential's project.
func (p *projects) read(credential auth.Credential) (*project, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if known, ok := p.known[credential.ID]; ok && known.public == credential.Public {
		return known, nil
	}
	var file projectFile
	if err := json.Unmarshal([]byte(credential.Public), &file); err != nil {
		return nil, fmt.Errorf("read a project: %w", err)
	}
	read := &project{brand: file.Brand, public: credential.Public}
	for _, text := range file.PublicKeys {
		key, err := parsePublicKey([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("read a project: %w", err)
		}
		read.keys = append(read.keys, key)
	}
	if p.known == nil || len(p.known) >= projectsMax {
		p.known = map[auth.CredentialID]*project{}
	}
	p.known[credential.ID] = read
	return read, nil
}

// signer returns the key with which a project's webhooks are signed.
func (d *Door) signer(credential auth.Credential) (*rsa.PrivateKey, error) {
	read, err := d.projects.read(credential)
	if err != nil {
		return nil, err
	}
	d.projects.mutex.Lock()
	defer d.projects.mutex.Unlock()
	if read.signer != nil {
		return read.signer, nil
	}
	secret, err := d.config.Auth.Open(credential)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("read a project's key: %w", err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a project's key is no RSA key")
	}
	read.signer = private
	return private, nil
}

// errKey means that a merchant's key cannot be used. It never repeats it.
var errKey = fault.New(fault.Invalid, "a project's public key is PEM of an RSA key of %d to %d bits", keyBitsMin, keyBitsMax)

// parsePublicKey reads a merchant's public key from PEM.
func parsePublicKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errKey
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if block.Type == "RSA PUBLIC KEY" {
		parsed, err = x509.ParsePKCS1PublicKey(block.Bytes)
	}
	if err != nil {
		return nil, errKey
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < keyBitsMin || key.N.BitLen() > keyBitsMax {
		return nil, errKey
	}
	return key, nil
}

// verify reports whether one of the project's keys made the signature: RSA
// PKCS #1 v1.5 with SHA-256 over the bytes as received, in standard padded
// Base64 on one line.
func (p *project) verify(body []byte, signature string) bool {
	raw, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || base64.StdEncoding.EncodeToString(raw) != signature {
		return false
	}
	sum := sha256.Sum256(body)
	for _, key := range p.keys {
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil {
			return true
		}
	}
	return false
}

// sign returns the signature of a body.
func sign(key *rsa.PrivateKey, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

// NewProject returns a project that is not written yet, with a fresh key pair
// of the provider's; fault.Invalid. A tenant has one project per brand.
func NewProject(ctx context.Context, of *auth.Auth, id auth.CredentialID, tenant payment.TenantID, brand Brand, name string,
	publicKeys ...string,
) (auth.Credential, error) {
	if brand != SmartGlocal && brand != Pike {
		return auth.Credential{}, fault.New(fault.Invalid, "a project's brand is smartglocal or pike")
	}
	if !isVisible(name, projectNameMax) || len(publicKeys) == 0 || len(publicKeys) > publicKeysMax {
		return auth.Credential{}, fault.New(fault.Invalid,
			"a project has a name of 1 to %d visible characters, and 1 to %d public keys", projectNameMax, publicKeysMax)
	}
	for _, text := range publicKeys {
		if _, err := parsePublicKey([]byte(text)); err != nil {
			return auth.Credential{}, err
		}
	}
	_, err := of.CredentialWhere(ctx, tenant, KindProject, isOf(brand))
	if err == nil {
		return auth.Credential{}, fault.New(fault.Conflict, "the tenant has a project of this brand already")
	}
	if fault.CodeOf(err) != fault.NotFound {
		return auth.Credential{}, err
	}
	key, err := rsa.GenerateKey(rand.Reader, providerKeyBits)
	if err != nil {
		return auth.Credential{}, fmt.Errorf("make a key pair: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return auth.Credential{}, fmt.Errorf("make a key pair: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return auth.Credential{}, fmt.Errorf("make a key pair: %w", err)
	}
	file, err := json.Marshal(projectFile{
		Brand: brand, PublicKeys: publicKeys,
		ProviderKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	})
	if err != nil {
		return auth.Credential{}, fmt.Errorf("make a project: %w", err)
	}
	return of.Seal(auth.Credential{
		Tenant: tenant, ID: id, Kind: KindProject, Lookup: name, Name: name, Public: string(file),
	}, private)
}

// isOf returns what a project of a brand looks like.
func isOf(brand Brand) func(auth.Credential) bool {
	return func(credential auth.Credential) bool {
		var file projectFile
		return json.Unmarshal([]byte(credential.Public), &file) == nil && file.Brand == brand
	}
}

// ProviderKey returns the public key, as PEM, by which a merchant verifies
// webhooks of a project.
func ProviderKey(credential auth.Credential) (string, error) {
	var file projectFile
	if err := json.Unmarshal([]byte(credential.Public), &file); err != nil {
		return "", fmt.Errorf("read a project: %w", err)
	}
	return file.ProviderKey, nil
}

// isVisible reports whether a text is 1 to most visible ASCII characters.
func isVisible(text string, most int) bool {
	if text == "" || len(text) > most {
		return false
	}
	for _, letter := range []byte(text) {
		if letter <= ' ' || letter > '~' {
			return false
		}
	}
	return true
}
