package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Report is a report that can be written.
type Report struct {
	Name       string         `json:"name"`
	Holds      string         `json:"holds"`      // what it is about
	Formats    []string       `json:"formats"`    // csv, ndjson
	Parameters []string       `json:"parameters"` // which of from and to it takes
	Columns    []ReportColumn `json:"columns"`    // in their order
}

// ReportColumn is a column of a report.
type ReportColumn struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // text, word, number, decimal, time, flag
	Doc  string `json:"doc"`
}

// Reports lists the reports there are.
func (c *Client) Reports(ctx context.Context) ([]Report, error) {
	var list struct{ Reports []Report }
	err := c.do(ctx, call{method: http.MethodGet, path: "/v1/reports"}, &list)
	return list.Reports, err
}

// ReportRequest says which report is written. From and To are days in UTC, as in
// 2026-03-01, or times (RFC 3339); empty: yesterday.
type ReportRequest struct{ Name, From, To, Format string }

// WriteReport writes a report as it comes. After an error, what was written is
// not the whole of it.
func (c *Client) WriteReport(ctx context.Context, request ReportRequest, to io.Writer) error {
	query := url.Values{}
	set(query, "from", request.From)
	set(query, "to", request.To)
	set(query, "format", request.Format)
	return c.copy(ctx, call{method: http.MethodGet, path: "/v1/reports/" + url.PathEscape(request.Name), query: query}, to)
}

// copy writes a long answer as it comes.
func (c *Client) copy(ctx context.Context, call call, to io.Writer) error {
	response, _, err := c.open(ctx, call, nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(to, response.Body); err != nil {
		return fmt.Errorf("refundry: %w: %w", errConnection, err)
	}
	return nil
}
