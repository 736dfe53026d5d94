package smartglocal

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// KindProject is the kind of credential that a project is. Its lookup is the
// project's name, its public part a [projectFile], its secret the key with
// which we, as the provider, sign webhooks (PKCS #8).
const KindProject auth.Kind = "project"

// What a project may have (C19).
const (
	publicKeysMax  = 10
	projectNameMax = 100 // bytes
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
		key, err := wire.ParseRSAPublicKey([]byte(text))
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
	if read.signer, err = wire.ParseRSAPrivateKey(secret); err != nil {
		return nil, fmt.Errorf("read a project's key: %w", err)
	}
	return read.signer, nil
}

// errKey means that a merchant's key cannot be used. It never repeats it.
var errKey = fault.New(fault.Invalid, "a project's public key is PEM of an RSA key of %d to %d bits",
	wire.RSABitsMin, wire.RSABitsMax)

// verify reports whether one of the project's keys made the signature over the
// bytes as received.
func (p *project) verify(body []byte, signature string) bool {
	for _, key := range p.keys {
		if wire.VerifyRSA(key, body, signature) {
			return true
		}
	}
	return false
}

// NewProject returns a project that is not written yet, with a fresh key pair
// of the provider's; fault.Invalid. A tenant has one project per brand.
func NewProject(ctx context.Context, of *auth.Auth, id auth.CredentialID, tenant payment.TenantID, brand Brand, name string,
	publicKeys ...string,
) (auth.Credential, error) {
	if brand != SmartGlocal && brand != Pike {
		return auth.Credential{}, fault.New(fault.Invalid, "a project's brand is smartglocal or pike")
	}
	if !wire.IsVisible(name, projectNameMax) || len(publicKeys) == 0 || len(publicKeys) > publicKeysMax {
		return auth.Credential{}, fault.New(fault.Invalid,
			"a project has a name of 1 to %d visible characters, and 1 to %d public keys", projectNameMax, publicKeysMax)
	}
	for _, text := range publicKeys {
		if _, err := wire.ParseRSAPublicKey([]byte(text)); err != nil {
			return auth.Credential{}, errKey
		}
	}
	_, err := of.CredentialWhere(ctx, tenant, KindProject, isOf(brand))
	if err == nil {
		return auth.Credential{}, fault.New(fault.Conflict, "the tenant has a project of this brand already")
	}
	if fault.CodeOf(err) != fault.NotFound {
		return auth.Credential{}, err
	}
	private, public, err := wire.NewRSAKey()
	if err != nil {
		return auth.Credential{}, err
	}
	file, err := json.Marshal(projectFile{
		Brand: brand, PublicKeys: publicKeys,
		ProviderKey: public,
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
