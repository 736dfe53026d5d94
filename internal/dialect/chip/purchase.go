package chip

import (
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// asked is a purchase as a body asks for it.
type asked struct {
	client   *client
	clientID payment.ResourceID
	details  *details
	options  *options
	items    []payment.Item
}

// create makes a purchase: a payment that stands alone and waits for its payer.
func (d *Door) create(c *call) (int, any, error) {
	body, err := c.object()
	if err != nil {
		return 0, nil, d.malformed(c, err)
	}
	if err := d.setKey(c, body.Compact()); err != nil {
		return 0, nil, err
	}
	a, err := d.readAsked(c, body)
	if err != nil {
		return 0, nil, d.malformed(c, err)
	}
	if a.clientID.IsZero() {
		if a.clientID, err = d.keepClient(c, a.client); err != nil {
			return 0, nil, err
		}
	}
	command, err := d.creation(c, a)
	if err != nil {
		return 0, nil, err
	}
	answer, err := d.config.Engine.Do(c.ctx, command)
	if err != nil {
		return 0, nil, err
	}
	if answer.Replayed != nil {
		return d.replay(c, answer.Replayed, http.StatusCreated)
	}
	if autoPay.Of(c.tenant.Settings) && d.config.IsSandbox {
		if err := d.payByItself(c, answer.View); err != nil {
			return 0, nil, fateUnknown(err)
		}
	}
	return http.StatusCreated, d.shower(c.tenant).purchase(answer.View), nil
}

// creation returns the command that makes a purchase.
func (d *Door) creation(c *call, a asked) (payment.CreatePayment, error) {
	number, err := d.nextNumber(c, purchaseNumbers)
	if err != nil {
		return payment.CreatePayment{}, err
	}
	kept := document{
		Generated: number, BaseURL: dialect.Origin(c.request), IP: c.ip(), ClientID: a.clientID.UUID(), Client: a.client,
		Details: a.details, Options: a.options,
	}
	command := payment.CreatePayment{
		Meta: c.meta(), ID: d.config.NewID(), Status: payment.PaymentCreated, Connector: d.config.Connector,
		Reference: a.options.Reference, Payer: a.clientID.UUID(), Description: a.details.Notes,
		Amount: money.Of(a.details.Total, a.details.Currency), Items: a.items, Document: kept.bytes(),
		Callback: a.options.SuccessCallback,
	}
	if metadata := string(a.details.Metadata); metadata != noMetadata {
		command.Metadata = metadata
	}
	if a.details.DueStrict {
		within := time.Unix(a.options.Due, 0).Sub(d.config.Now())
		command.Gates = []payment.Gate{{Kind: payment.GatePayer, Within: within}}
		command.IsTaken = true
	}
	return command, nil
}

// readAsked reads a purchase's body. Whether there is a client is looked at
// when all that is there is right.
func (d *Door) readAsked(c *call, body wire.Value) (asked, error) {
	f := form{body, &flaws{}}
	var a asked
	var brand payment.TenantID // spelled like any id
	if _, ok := f.required("brand_id"); ok && f.uuid("brand_id", &brand) && brand.UUID() != BrandOf(c.tenant.ID) {
		f.flaw("brand_id", codeInvalid, "There is no such brand.")
	}
	f.uuid("client_id", &a.clientID)
	if f.has("client") {
		a.client = readClient(f.object("client"))
	}
	if _, ok := f.required("purchase"); ok {
		a.details, a.items = readDetails(f.object("purchase"))
	}
	a.options = readOptions(f, d.config.Now())
	d.checkCallback(f, c.tenant, "success_callback", a.options.SuccessCallback)
	switch {
	case !f.wrong.isEmpty():
		return a, &problem{http.StatusBadRequest, f.wrong}
	case f.has("client") && f.has("client_id"):
		return a, twoClients
	case !f.has("client") && !f.has("client_id"):
		return a, noClient
	case a.details.Total == 0:
		return a, noTotal
	case a.details.Total > money.Max:
		return a, largeTotal
	}
	if !f.has("client_id") {
		return a, nil
	}
	var err error
	if a.client, err = d.knownClient(c.ctx, c.tenant.ID, a.clientID); err == nil && a.client == nil {
		err = refused(http.StatusBadRequest, "client_id", codeInvalid, "There is no such client.")
	}
	return a, err
}

// get shows a purchase.
func (d *Door) get(c *call) (int, any, error) {
	view, err := d.view(c)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, d.shower(c.tenant).purchase(view), nil
}

// view returns the purchase that a call names, made here or elsewhere.
func (d *Door) view(c *call) (payment.View, error) {
	var own payment.PaymentID
	if own.ParseUUID(c.id) != nil || own.IsZero() {
		return payment.View{}, unknown
	}
	return d.config.View(c.ctx, c.tenant.ID, own, aliasOf(c.id))
}
