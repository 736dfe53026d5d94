package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect/chip"
	"github.com/refundry/refundry/internal/dialect/ping"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// SandboxFile is what people script against: the demo tenant and its
// credentials for every front door. Paths are absolute, URLs usable as they stand.
type SandboxFile struct {
	BaseURL     string         `json:"base_url"`
	Tenant      string         `json:"tenant"`
	API         SandboxAPI     `json:"api"`
	SmartGlocal SandboxProject `json:"smartglocal"`
	Pike        SandboxProject `json:"pike"`
	Ping        SandboxPing    `json:"ping"`
	CHIP        SandboxCHIP    `json:"chip"`
	Primer      SandboxPrimer  `json:"primer"`
}

// SandboxAPI is how to reach our own API.
type SandboxAPI struct {
	BaseURL       string `json:"base_url"`
	Key           string `json:"key"`
	WebhookSecret string `json:"webhook_secret"`
}

// SandboxProject is how to reach Smart Glocal or Pike.
type SandboxProject struct {
	BaseURL               string `json:"base_url"`
	Project               string `json:"project"`
	PrivateKeyFile        string `json:"private_key_file"`         // PEM, the merchant's: signs requests
	ProviderPublicKeyFile string `json:"provider_public_key_file"` // PEM: verifies webhooks
}

// SandboxPing is how to reach Ping Payments.
type SandboxPing struct {
	BaseURL  string `json:"base_url"`
	TenantID string `json:"tenant_id"`
	Secret   string `json:"secret"`
}

// SandboxCHIP is how to reach CHIP.
type SandboxCHIP struct {
	BaseURL string `json:"base_url"`
	Key     string `json:"key"`
	BrandID string `json:"brand_id"`
}

// SandboxPrimer is how to reach Primer.
type SandboxPrimer struct {
	BaseURL       string `json:"base_url"`
	Key           string `json:"key"`
	WebhookSecret string `json:"webhook_secret"` // as it is: its bytes are the HMAC's key
}

// demo is what the sandbox remembers of its demo tenant, for all replicas and
// all starts. It is made once.
type demo struct {
	Tenant        payment.TenantID
	Key           string
	WebhookSecret string            // of the own API's endpoints
	MerchantKeys  map[string][]byte // PKCS #8, by brand
	PingSecret    string
	CHIPKey       string
	PrimerKey     string
	PrimerSecret  string // of webhooks
}

const (
	demoName    = "demo"
	keyringName = "keyring"
)

// sandboxKeyring returns the keyring that all replicas of a sandbox share.
func (s *Service) sandboxKeyring(ctx context.Context) (*auth.Keyring, error) {
	fresh, err := auth.NewKeyring()
	if err != nil {
		return nil, err
	}
	kept, err := s.sandbox.RememberOnce(ctx, keyringName, fresh.Bytes())
	if err != nil {
		return nil, err
	}
	return auth.ParseKeyring(kept)
}

// newDemo makes what a demo tenant needs.
func (s *Service) newDemo() ([]byte, error) {
	d := demo{
		Tenant: s.config.NewID(), Key: auth.NewAPIKey(rand.Reader).Reveal(),
		WebhookSecret: auth.NewEndpointSecret(rand.Reader).Reveal(),
		PingSecret:    auth.NewAPIKey(rand.Reader).Reveal(), CHIPKey: auth.NewAPIKey(rand.Reader).Reveal(),
		PrimerKey: auth.NewAPIKey(rand.Reader).Reveal(), PrimerSecret: auth.NewAPIKey(rand.Reader).Reveal(),
		MerchantKeys: map[string][]byte{},
	}
	for _, brand := range smartglocal.Brands {
		private, _, err := wire.NewRSAKey()
		if err != nil {
			return nil, err
		}
		d.MerchantKeys[string(brand)] = private
	}
	return json.Marshal(d)
}

// PrepareSandbox makes the demo tenant, once, and writes sandbox.json into the
// data folder. baseURL is where the service can be reached. It returns the
// file's path. The engine must run.
func (s *Service) PrepareSandbox(ctx context.Context, baseURL string) (path string, file SandboxFile, err error) {
	kept, err := s.sandbox.Recall(ctx, demoName)
	if err == nil && kept == nil {
		var fresh []byte
		if fresh, err = s.newDemo(); err == nil {
			kept, err = s.sandbox.RememberOnce(ctx, demoName, fresh)
		}
	}
	if err != nil {
		return "", SandboxFile{}, err
	}
	var d demo
	if err := json.Unmarshal(kept, &d); err != nil {
		return "", SandboxFile{}, fmt.Errorf("read the demo tenant: %w", err)
	}
	if err := s.ensureDemo(ctx, d); err != nil {
		return "", SandboxFile{}, err
	}
	file = SandboxFile{
		BaseURL: baseURL, Tenant: d.Tenant.String(),
		API: SandboxAPI{BaseURL: baseURL, Key: d.Key, WebhookSecret: d.WebhookSecret},
	}
	file.Ping = SandboxPing{BaseURL: baseURL + "/payments/", TenantID: d.Tenant.UUID(), Secret: d.PingSecret}
	file.CHIP = SandboxCHIP{BaseURL: baseURL + "/api/v1/", Key: d.CHIPKey, BrandID: chip.BrandOf(d.Tenant)}
	file.Primer = SandboxPrimer{BaseURL: baseURL, Key: d.PrimerKey, WebhookSecret: d.PrimerSecret}
	for brand, project := range map[smartglocal.Brand]*SandboxProject{
		smartglocal.SmartGlocal: &file.SmartGlocal, smartglocal.Pike: &file.Pike,
	} {
		if *project, err = s.writeProject(ctx, d, brand, baseURL); err != nil {
			return "", SandboxFile{}, err
		}
	}
	content, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return "", SandboxFile{}, fmt.Errorf("write sandbox.json: %w", err)
	}
	if path, err = filepath.Abs(filepath.Join(s.config.Data, "sandbox.json")); err != nil {
		return "", SandboxFile{}, fmt.Errorf("write sandbox.json: %w", err)
	}
	return path, file, writeSecret(path, append(content, '\n'))
}

// ensureDemo writes the demo tenant with its credentials, whole. Another
// replica, or an earlier start, may have done it.
func (s *Service) ensureDemo(ctx context.Context, d demo) error {
	_, err := s.store.Tenant(ctx, d.Tenant)
	if err == nil || fault.CodeOf(err) != fault.NotFound {
		return err
	}
	now := s.clock.Now()
	credentials := []auth.Credential{{
		Tenant: d.Tenant, ID: s.config.NewID(), Kind: auth.KindAPIKey, Lookup: auth.Digest(auth.Secret(d.Key)), Name: demoName,
		CreatedAt: now,
	}}
	hooks, err := primer.NewWebhookSecret(s.auth, s.config.NewID(), d.Tenant, auth.Secret(d.PrimerSecret))
	if err != nil {
		return err
	}
	for _, made := range []auth.Credential{
		ping.NewSecret(s.config.NewID(), d.Tenant, auth.Secret(d.PingSecret)),
		chip.NewKey(s.config.NewID(), d.Tenant, auth.Secret(d.CHIPKey)),
		primer.NewKey(s.config.NewID(), d.Tenant, auth.Secret(d.PrimerKey)),
		hooks,
	} {
		made.CreatedAt = now
		credentials = append(credentials, made)
	}
	for _, brand := range smartglocal.Brands {
		public, err := wire.RSAPublicKey(d.MerchantKeys[string(brand)])
		if err != nil {
			return err
		}
		project, err := smartglocal.NewProject(ctx, s.auth, s.config.NewID(), d.Tenant, brand, projectName(brand), public)
		if err != nil {
			return err
		}
		project.CreatedAt = now
		credentials = append(credentials, project)
	}
	err = s.store.Change(ctx, auth.Change{
		Tenant: &payment.Tenant{ID: d.Tenant, Name: demoName}, Of: d.Tenant, Credentials: credentials,
		Events: []payment.Event{{
			Tenant: d.Tenant, Kind: auth.EventTenantCreated, Subject: d.Tenant, At: now, Actor: "operator:sandbox",
		}},
	})
	if fault.CodeOf(err) == fault.Conflict {
		return nil // another replica was faster
	}
	return err
}

// projectName is what the demo tenant's project of a brand is called.
func projectName(brand smartglocal.Brand) string { return "demo-" + string(brand) }

// writeProject writes the key files of the demo tenant's project.
func (s *Service) writeProject(ctx context.Context, d demo, brand smartglocal.Brand, baseURL string,
) (SandboxProject, error) {
	credential, err := s.auth.Credential(ctx, smartglocal.KindProject, projectName(brand))
	if err != nil {
		return SandboxProject{}, err
	}
	provider, err := smartglocal.ProviderKey(credential)
	if err != nil {
		return SandboxProject{}, err
	}
	folder, err := filepath.Abs(filepath.Join(s.config.Data, "keys"))
	if err != nil {
		return SandboxProject{}, fmt.Errorf("write keys: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return SandboxProject{}, fmt.Errorf("write keys: %w", err)
	}
	project := SandboxProject{
		BaseURL: baseURL, Project: projectName(brand),
		PrivateKeyFile:        filepath.Join(folder, string(brand)+"-merchant-private.pem"),
		ProviderPublicKeyFile: filepath.Join(folder, string(brand)+"-provider-public.pem"),
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: d.MerchantKeys[string(brand)]})
	if err := writeSecret(project.PrivateKeyFile, private); err != nil {
		return SandboxProject{}, err
	}
	return project, writeSecret(project.ProviderPublicKeyFile, []byte(provider))
}
