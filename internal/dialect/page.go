package dialect

import (
	"html/template"
	"net/http"
)

// ShowPage shows a page of the sandbox that stands for a payer's browser. It
// loads nothing from anywhere. It sets no form-action: the form's answer leads
// to the merchant.
func ShowPage(w http.ResponseWriter, status int, page *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.WriteHeader(status)
	_ = page.Execute(w, data) // a payer who has gone comes again
}
