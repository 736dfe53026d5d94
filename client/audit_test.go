package client_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/client"
)

// What was done is read with the person on whose behalf, and exported up to a
// checkpoint that says the same as the one that is read.
func TestAuditIsReadAndExported(t *testing.T) {
	t.Parallel()
	c := setup(t)
	payment := pay(t, c, 1000)
	refund, err := c.CreateRefund(t.Context(), client.RefundRequest{
		Payment: payment.ID, Money: client.Amount(400, "EUR"), User: "anna@shop.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	var created []client.AuditEntry
	filter := client.AuditFilter{User: "anna@shop.example", Payment: payment.ID, Kinds: []string{"refund"}}
	for entry, err := range c.Audit(t.Context(), filter) {
		if err != nil {
			t.Fatal(err)
		}
		if entry.Kind == "refund.created" {
			created = append(created, entry)
		}
	}
	if len(created) != 1 || created[0].Refund != refund.ID || created[0].User != "anna@shop.example" ||
		created[0].Address != "127.0.0.1" || len(created[0].After) == 0 {
		t.Fatalf("%+v", created)
	}
	checkpoint, err := c.Checkpoint(t.Context(), created[0].Commit)
	if err != nil || checkpoint.Number != created[0].Commit || len(checkpoint.Digest) != 64 {
		t.Fatalf("%+v, %v", checkpoint, err)
	}
	var export bytes.Buffer
	if err := c.ExportAudit(t.Context(), checkpoint.Number, checkpoint.Number, &export); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(export.String(), checkpoint.Hash) || strings.Contains(export.String(), "anna@") {
		t.Fatalf("%s", export.String())
	}
	if tenant, err := c.Tenant(t.Context()); err != nil || tenant.ID != checkpoint.Tenant || !slices.Contains(tenant.Doors, "ping") {
		t.Fatalf("%+v, %v", tenant, err)
	}
}

// A report that is listed is written, in each of its formats.
func TestReportsAreWritten(t *testing.T) {
	t.Parallel()
	c := setup(t)
	reports, err := c.Reports(t.Context())
	if err != nil || len(reports) < 8 {
		t.Fatalf("%+v, %v", reports, err)
	}
	for _, report := range reports {
		for _, format := range report.Formats {
			var text bytes.Buffer
			if err := c.WriteReport(t.Context(), client.ReportRequest{Name: report.Name, Format: format}, &text); err != nil {
				t.Errorf("%s as %s: %v", report.Name, format, err)
			}
			heading, _, _ := strings.Cut(text.String(), "\n")
			if format == "csv" && !strings.HasPrefix(heading, report.Columns[0].Name) {
				t.Errorf("%s begins with %q", report.Name, heading)
			}
		}
	}
	if err := c.WriteReport(t.Context(), client.ReportRequest{Name: "nonsense"}, &bytes.Buffer{}); err == nil {
		t.Error("a report that there is not is written")
	}
}
