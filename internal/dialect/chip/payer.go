package chip

import (
	"context"
	"html/template"
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// actorPayer is who pays.
const actorPayer = "payer"

// payerPage stands for the provider's hosted page. Its form posts to the
// purchase's own address, as a merchant's form does, and says that it is the page's.
var payerPage = template.Must(template.New("payer").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sandbox: pay {{.Amount}}</title>
<main><h1>Pay {{.Amount}}</h1>
<p>This page stands for the provider's, in the sandbox. It takes the cards 4444 3333 2222 1111 and 5555 5555 5555 4444,
any name, any date in the future, and the code 123.</p>
{{with .Problem}}<p role="alert">{{.}}</p>{{end}}
<form method="post"><input type="hidden" name="flow" value="payform">
<p><label>Name <input name="cardholder_name" autocomplete="off"></label>
<p><label>Card number <input name="card_number" autocomplete="off" inputmode="numeric"></label>
<p><label>Expires, as in 09/29 <input name="expires" autocomplete="off"></label>
<p><label>Code <input name="cvc" autocomplete="off" inputmode="numeric"></label>
<p><label><input type="checkbox" name="remember_card" value="on"> Remember the card</label>
<p><button>Pay</button></form>
{{if .IsFPX}}<form method="post"><input type="hidden" name="flow" value="payform">
<p><button name="payment_method" value="fpx">Pay by FPX</button></form>{{end}}
{{with .Cancel}}<p><a href="{{.}}">Back to the merchant</a>{{end}}</main>
`))

// endPage says that there is nothing to pay, and why.
var endPage = template.Must(template.New("end").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sandbox: {{.}}</title><main><h1>{{.}}</h1></main>
`))

// payerView is what the page shows.
type payerView struct {
	Amount  money.Amount
	Problem string
	IsFPX   bool
	Cancel  string
}

const (
	payerBytesMax = 4 << 10 // of the form
	triesMax      = 20      // in vain, of one purchase: each is kept
	invoiceStep   = "/invoice"
)

// payer answers payers' browsers, below /p/: a purchase's page, its invoice,
// and the forms that pay it.
func (d *Door) payer(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(strings.TrimPrefix(dialect.Path(r), PayerPath), "/")
	text, isInvoice := strings.CutSuffix(path, invoiceStep)
	var id payment.PaymentID
	if id.ParseUUID(text) != nil {
		dialect.ShowPage(w, http.StatusNotFound, endPage, "There is no such purchase")
		return
	}
	isLook := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !isLook && (r.Method != http.MethodPost || isInvoice) {
		w.Header().Set("Allow", "GET, HEAD, POST")
		dialect.ShowPage(w, http.StatusMethodNotAllowed, endPage, "A purchase is looked at, or paid")
		return
	}
	view, tenant, err := d.payersView(r.Context(), id)
	switch {
	case dialect.IsRule(err, payment.RuleExists):
		dialect.ShowPage(w, http.StatusNotFound, endPage, "There is no such purchase")
	case err != nil:
		d.payerFailed(w, r, err)
	case !isLook:
		d.takePayer(w, r, view, tenant)
	case isInvoice || view.Payment.Captured > 0:
		dialect.ShowPage(w, http.StatusOK, endPage, "Purchase "+statusTitle(view))
	default:
		d.showPayer(w, r, view)
	}
}

func statusTitle(v payment.View) string { return lifeOf(v, documentOf(v)).status }

// payerFailed says that something is wrong with us.
func (d *Door) payerFailed(w http.ResponseWriter, r *http.Request, err error) {
	d.config.Failed(r, err)
	dialect.ShowPage(w, http.StatusInternalServerError, endPage, "Something went wrong, try again later")
}

// payersView finds a purchase whose payer does not know whose it is: in the
// sandbox there are few tenants.
func (d *Door) payersView(ctx context.Context, id payment.PaymentID) (payment.View, *payment.Tenant, error) {
	tenants, err := d.config.Auth.Tenants(ctx)
	if err != nil {
		return payment.View{}, nil, err
	}
	for _, tenant := range tenants {
		view, err := d.config.Reader.View(ctx, tenant.ID, id)
		switch {
		case err == nil && view.Payment.Home == Name:
			return view, &tenant, nil
		case err != nil && !dialect.IsRule(err, payment.RuleExists):
			return payment.View{}, nil, err
		}
	}
	return payment.View{}, nil, payment.NoSuch("purchase")
}

// meta returns what a payer's command carries.
func payersMeta(r *http.Request, tenant payment.TenantID) payment.Meta {
	return payment.Meta{Tenant: tenant, Actor: actorPayer, Door: Name, Request: wire.RequestID(r.Context())}
}

// showPayer shows the page, and remembers that it was looked at.
func (d *Door) showPayer(w http.ResponseWriter, r *http.Request, view payment.View) {
	doc := documentOf(view)
	if !isPayable(view.Payment) {
		dialect.ShowPage(w, http.StatusConflict, endPage, "Purchase "+statusTitle(view))
		return
	}
	if doc.ViewedOn == 0 && r.Method == http.MethodGet {
		seen := document{State: statusViewed, ViewedOn: d.config.Now().Unix()}
		if _, err := d.config.Engine.Do(r.Context(), payment.DocumentPayment{
			Meta: payersMeta(r, view.Payment.Tenant), Payment: view.Payment.ID, Document: seen.bytes(),
		}); err != nil {
			d.payerFailed(w, r, err)
			return
		}
	}
	d.showForm(w, http.StatusOK, view, "")
}

func (d *Door) showForm(w http.ResponseWriter, status int, view payment.View, problem string) {
	shown := payerView{
		Amount: view.Payment.Amount, Problem: problem, IsFPX: view.Payment.Amount.Currency == fpxCurrency,
	}
	if doc := documentOf(view); doc.Options != nil {
		shown.Cancel = doc.Options.CancelRedirect
	}
	dialect.ShowPage(w, status, payerPage, shown)
}

// takePayer takes a form. It is the page's own, or one of the merchant's.
func (d *Door) takePayer(w http.ResponseWriter, r *http.Request, view payment.View, tenant *payment.Tenant) {
	r.Body = http.MaxBytesReader(w, r.Body, payerBytesMax)
	if err := r.ParseForm(); err != nil {
		dialect.ShowPage(w, http.StatusBadRequest, endPage, "This form cannot be read")
		return
	}
	doc := documentOf(view)
	if !isPayable(view.Payment) || len(doc.tries) >= triesMax {
		dialect.ShowPage(w, http.StatusConflict, endPage, "This purchase cannot be paid")
		return
	}
	flow := flowDirect
	if r.PostForm.Get("flow") == flowPage {
		flow = flowPage
	}
	with := paid{Flow: flow, Method: methodFPX, Country: testCountry, IP: addressOf(r)}
	if isFPX := flow == flowPage && r.PostForm.Get("payment_method") == methodFPX &&
		view.Payment.Amount.Currency == fpxCurrency; !isFPX {
		card, wrong := readCard(r.PostForm, d.config.Now())
		if wrong != nil {
			d.refusePayer(w, r, view, try{Error: wrong, Flow: flow, Card: card, IP: with.IP, At: d.config.Now().Unix()})
			return
		}
		with.Card, with.Method = card, card.Brand
		with.IsToken = r.PostForm.Get("remember_card") == "on" || doc.Options != nil && doc.Options.ForceRecurring
	}
	command := completion(payersMeta(r, tenant.ID), tenant, view.Payment.ID, doc, with)
	_, err := d.config.Engine.Do(r.Context(), command)
	switch {
	case dialect.IsRule(err, payment.RuleStatus):
		dialect.ShowPage(w, http.StatusConflict, endPage, "This purchase cannot be paid")
	case err != nil:
		d.payerFailed(w, r, err)
	case doc.Options != nil && doc.Options.SuccessRedirect != "":
		http.Redirect(w, r, doc.Options.SuccessRedirect, http.StatusFound)
	default:
		dialect.ShowPage(w, http.StatusOK, endPage, "Thank you")
	}
}

// refusePayer remembers a try in vain. The payer may try again.
func (d *Door) refusePayer(w http.ResponseWriter, r *http.Request, view payment.View, failed try) {
	doc := documentOf(view)
	if _, err := d.config.Engine.Do(r.Context(), payment.DocumentPayment{
		Meta: payersMeta(r, view.Payment.Tenant), Payment: view.Payment.ID, Kind: payment.EventPaymentTryFailed,
		Document: document{State: statusError, Try: &failed}.bytes(),
	}); err != nil {
		d.payerFailed(w, r, err)
		return
	}
	if doc.Options != nil && doc.Options.FailureRedirect != "" {
		http.Redirect(w, r, doc.Options.FailureRedirect, http.StatusFound)
		return
	}
	d.showForm(w, http.StatusUnprocessableEntity, view, failed.Error.Message)
}
