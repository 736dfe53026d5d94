package smartglocal

import (
	"html/template"
	"net/http"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/payment"
)

// PayerPath is the page at which a payer says yes or no, in the sandbox only.
const PayerPath = "/sandbox/payer"

func shownInteraction(p payment.Payment, doc document) *interaction {
	query := map[string]string{"tenant": p.Tenant.String(), "payment": p.ID.String()}
	base := doc.BaseURL + PayerPath
	return &interaction{Type: "redirect", Redirect: redirect{
		URL: base + "?payment=" + query["payment"] + "&tenant=" + query["tenant"], BaseURL: base, Method: http.MethodPost,
		QS: query, Params: map[string]string{"result": "pass"},
	}}
}

var payerPage = template.Must(template.New("payer").Parse(`<!doctype html>
<html lang="en"><title>Sandbox: prove that it is you</title>
<main><h1>Prove that it is you</h1>
<p>This page stands for the payer's bank, in the sandbox.</p>
<form method="post"><button name="result" value="pass">It is me</button>
<button name="result" value="decline">It is not me</button></form></main>
`))

// showPayer shows the page.
func (d *Door) showPayer(w http.ResponseWriter, _ *http.Request) {
	dialect.ShowPage(w, http.StatusOK, payerPage, nil)
}

// payerBytesMax bounds the form.
const payerBytesMax = 4 << 10

// takePayer takes the payer's answer.
func (d *Door) takePayer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, payerBytesMax)
	var tenant payment.TenantID
	var of payment.PaymentID
	query := r.URL.Query()
	if tenant.Parse(query.Get("tenant")) != nil || of.Parse(query.Get("payment")) != nil {
		http.Error(w, "no such payment", http.StatusNotFound)
		return
	}
	meta := payment.Meta{Tenant: tenant, Actor: "payer"}
	var command payment.Command = payment.PassGate{Meta: meta, Payment: of, Gate: payment.GatePayer}
	if r.PostFormValue("result") == "decline" {
		command = payment.CancelPayment{Meta: meta, Payment: of}
	}
	if _, err := d.config.Engine.Do(r.Context(), command); err != nil {
		http.Error(w, "the payment does not wait for its payer", http.StatusConflict)
		return
	}
	view, err := d.config.Reader.View(r.Context(), tenant, of)
	if err == nil {
		for _, brand := range Brands {
			if to := readDocument(view.Facet(brand.Door(), of)).ReturnURL; to != "" {
				http.Redirect(w, r, to, http.StatusSeeOther)
				return
			}
		}
	}
	_, _ = w.Write([]byte("Thank you.\n")) // a payer who has gone does not mind
}
