package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/refundry/refundry/internal/fault"
)

// The operator's commands. Each is one call of the operator's routes.
type (
	tenantsCommand struct {
		List   tenantsList   `cmd:"" default:"withargs" help:"List tenants."`
		Create tenantsCreate `cmd:"" help:"Make a tenant."`
	}
	tenantsList   struct{ operatorFlags }
	tenantsCreate struct {
		operatorFlags

		Name string `arg:"" help:"What it is called."`
	}

	keysCommand struct {
		List    keysList    `cmd:"" default:"withargs" help:"List API keys and projects."`
		Create  keysCreate  `cmd:"" help:"Make an API key; it is shown this once."`
		Project keysProject `cmd:"" help:"Make a project of Smart Glocal or Pike; prints the provider's public key."`
		Revoke  keysRevoke  `cmd:"" help:"End a key or a project for good."`
	}
	keysList   struct{ operatorFlags }
	keysCreate struct {
		operatorFlags

		Name string `help:"For people."`
	}
	keysProject struct {
		operatorFlags

		Brand     string   `arg:"" enum:"smartglocal,pike" help:"smartglocal or pike."`
		Name      string   `arg:"" help:"As in X-PARTNER-PROJECT."`
		PublicKey []string `required:"" type:"existingfile" help:"The merchant's public key, PEM; several may be given."`
	}
	keysRevoke struct {
		operatorFlags

		ID string `arg:"" help:"As listed."`
	}

	settingsCommand struct {
		List  settingsList  `cmd:"" default:"withargs" help:"Show every setting, with its default."`
		Set   settingsSet   `cmd:"" help:"Change settings: NAME=VALUE; lists are comma-separated."`
		Reset settingsReset `cmd:"" help:"Give settings their defaults again."`
	}
	settingsList struct{ operatorFlags }
	settingsSet  struct {
		operatorFlags

		Settings []string `arg:"" help:"As in pike.parallel_refunds=true."`
	}
	settingsReset struct {
		operatorFlags

		Names []string `arg:"" help:"Names of settings."`
	}

	webhooksCommand struct {
		List       webhooksList       `cmd:"" default:"withargs" help:"List webhook endpoints."`
		Add        webhooksAdd        `cmd:"" help:"Add an endpoint."`
		Remove     webhooksRemove     `cmd:"" help:"Remove an endpoint; its open deliveries are canceled."`
		Deliveries webhooksDeliveries `cmd:"" help:"List deliveries, the newest first."`
		Show       webhooksShow       `cmd:"" help:"Show a delivery with every attempt."`
		Resend     webhooksResend     `cmd:"" help:"Make a delivery that has ended once more."`
	}
	webhooksList struct{ operatorFlags }
	webhooksAdd  struct {
		operatorFlags

		Door  string   `arg:"" help:"In whose words: api, smartglocal, pike."`
		URL   string   `arg:"" help:"Where to."`
		Kinds []string `help:"Kinds of event; none: all that the door tells."`
	}
	webhooksRemove struct {
		operatorFlags

		ID string `arg:"" help:"As listed."`
	}
	webhooksDeliveries struct {
		operatorFlags

		Payment string `help:"Of this payment."`
		Status  string `help:"open, delivered, given_up or canceled."`
		Limit   string `help:"At most this many." default:"50"`
	}
	webhooksShow struct {
		operatorFlags

		ID string `arg:"" help:"As listed."`
	}
	webhooksResend struct {
		operatorFlags

		ID string `arg:"" help:"As listed."`
	}

	disputesCommand struct {
		Open disputesOpen `cmd:"" help:"Record that a payer contests a payment: a chargeback."`
		Move disputesMove `cmd:"" help:"Record what became of a dispute: challenged, won, lost, accepted, expired, canceled."`
		Show disputesShow `cmd:"" help:"Show a dispute."`
	}
	disputesOpen struct {
		operatorFlags

		Payment string `arg:"" help:"Its id, in any front door's spelling."`
		Amount  int64  `help:"Minor units; 0: all that is left."`
		Kind    string `help:"dispute, inquiry or pre_arbitration." default:"dispute" enum:"dispute,inquiry,pre_arbitration"`
		Reason  string `help:"Why."`
	}
	disputesMove struct {
		operatorFlags

		ID string `arg:"" help:"As it was shown."`
		To string `arg:"" help:"The new status."`
	}
	disputesShow struct {
		operatorFlags

		ID string `arg:"" help:"As it was shown."`
	}

	refundsCommand struct {
		Show    refundsShow    `cmd:"" help:"Show a refund."`
		Approve refundsApprove `cmd:"" help:"Say yes to a refund that waits for approval."`
		Cancel  refundsCancel  `cmd:"" help:"Stop a refund that has not left."`
	}
	refundsShow struct {
		operatorFlags

		ID string `arg:"" help:"rfd_…"`
	}
	refundsApprove struct {
		operatorFlags

		ID string `arg:"" help:"rfd_…"`
	}
	refundsCancel struct {
		operatorFlags

		ID string `arg:"" help:"rfd_…"`
	}

	reportsCommand struct {
		operatorFlags

		Name   string `arg:"" help:"smartglocal or pike: the daily payments report."`
		From   string `help:"First day, as in 2026-03-01 (UTC); yesterday if none is given."`
		To     string `help:"Last day; the first if none is given."`
		Output string `short:"o" help:"File to write; standard output if none is given." type:"path"`
	}
)

func (c *tenantsList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/tenants", nil, "id", "name")
}

func (c *tenantsCreate) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/tenants", map[string]any{"name": c.Name})
}

func (c *keysList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/keys", nil, "id", "kind", "name", "created_at", "revoked_at")
}

func (c *keysCreate) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/keys", map[string]any{"kind": "api_key", "name": c.Name})
}

func (c *keysProject) Run(ctx context.Context, t *terminal) error {
	var keys []string
	for _, path := range c.PublicKey {
		text, err := os.ReadFile(path) //nolint:gosec // the operator names it
		if err != nil {
			return fmt.Errorf("read a public key: %w", err)
		}
		keys = append(keys, string(text))
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/keys",
		map[string]any{"kind": "project", "brand": c.Brand, "name": c.Name, "public_keys": keys})
}

func (c *keysRevoke) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodDelete, "/v1/keys/"+c.ID, nil)
}

func (c *settingsList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/settings", nil, "name", "value", "doc")
}

func (c *settingsSet) Run(ctx context.Context, t *terminal) error {
	changes := map[string]any{}
	for _, text := range c.Settings {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return fault.New(fault.Invalid, "a setting is changed by NAME=VALUE")
		}
		changes[name] = settingValue(name, value)
	}
	return c.operate(ctx, t, http.MethodPatch, "/v1/settings", changes, "name", "value")
}

// settingValue reads a value as its setting's type has it: true, false, a
// number, a list or a text.
func settingValue(name, text string) any {
	for _, spec := range settingSpecs() {
		if spec.Name != name {
			continue
		}
		if _, isList := spec.Default.([]string); isList {
			if text == "" {
				return []string{}
			}
			return strings.Split(text, ",")
		}
	}
	var value any
	if json.Unmarshal([]byte(text), &value) == nil {
		return json.RawMessage(text)
	}
	return text
}

func (c *settingsReset) Run(ctx context.Context, t *terminal) error {
	changes := map[string]any{}
	for _, name := range c.Names {
		changes[name] = nil
	}
	return c.operate(ctx, t, http.MethodPatch, "/v1/settings", changes, "name", "value")
}

func (c *webhooksList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/endpoints", nil, "id", "door", "url", "kinds", "created_at")
}

func (c *webhooksAdd) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{"door": c.Door, "url": c.URL}
	if len(c.Kinds) > 0 {
		body["kinds"] = c.Kinds
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/endpoints", body)
}

func (c *webhooksRemove) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodDelete, "/v1/endpoints/"+c.ID, nil)
}

func (c *webhooksDeliveries) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet,
		"/v1/deliveries"+query("payment", c.Payment, "status", c.Status, "limit", c.Limit), nil,
		"id", "door", "kind", "status", "attempts", "payment", "at")
}

func (c *webhooksShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/deliveries/"+c.ID, nil)
}

func (c *webhooksResend) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/deliveries/"+c.ID+"/resend", nil)
}

func (c *disputesOpen) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{"payment": c.Payment, "kind": c.Kind}
	if c.Amount != 0 {
		body["amount"] = c.Amount
	}
	if c.Reason != "" {
		body["reason"] = c.Reason
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/disputes", body)
}

func (c *disputesMove) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/disputes/"+c.ID+"/move", map[string]any{"to": c.To})
}

func (c *disputesShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/disputes/"+c.ID, nil)
}

func (c *refundsShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/refunds/"+c.ID, nil)
}

func (c *refundsApprove) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/refunds/"+c.ID+"/approve", nil)
}

func (c *refundsCancel) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/refunds/"+c.ID+"/cancel", map[string]any{})
}

func (c *reportsCommand) Run(ctx context.Context, t *terminal) error {
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	return errors.Join(c.write(ctx, t, o), o.close())
}

func (c *reportsCommand) write(ctx context.Context, t *terminal, o *operator) (err error) {
	response, err := o.send(ctx, http.MethodGet, "/v1/reports/"+c.Name+query("from", c.From, "to", c.To), "application/json", nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return problemOf(text, response.StatusCode)
	}
	to := t.stdout
	if c.Output != "" {
		file, createErr := os.Create(c.Output)
		if createErr != nil {
			return fmt.Errorf("write the report: %w", createErr)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		to = file
	}
	_, err = io.Copy(to, response.Body)
	return err
}
