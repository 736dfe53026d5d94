package api

import (
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

const (
	deliveriesDefault = 50
	deliveriesMax     = 500
)

var deliveryStatuses = []webhook.Status{
	webhook.StatusOpen, webhook.StatusDelivered, webhook.StatusGivenUp, webhook.StatusCanceled,
}

// listDeliveries shows deliveries, the newest first.
func (a *API) listDeliveries(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, err := a.deliveryFilter(r, caller)
	if err != nil {
		return err
	}
	deliveries, err := a.config.Deliveries.Deliveries(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	list(w, "deliveries", deliveries, func(to *writer, delivery webhook.Delivery) {
		to.begin("")
		showDelivery(to, delivery)
		to.end()
	})
	return nil
}

func (a *API) deliveryFilter(r *http.Request, caller auth.Identity) (filter webhook.Filter, err error) {
	query := r.URL.Query()
	if filter.Limit, err = limitOf(query.Get("limit"), deliveriesDefault, deliveriesMax); err != nil {
		return filter, err
	}
	if text := query.Get("payment"); text != "" {
		if filter.Payment, err = a.paymentNamed(r.Context(), caller, text); err != nil {
			return filter, err
		}
	}
	if text := query.Get("endpoint"); text != "" && filter.Endpoint.Parse(text) != nil {
		return filter, wrongParameter("endpoint", "must be an endpoint's id")
	}
	if text := query.Get("before"); text != "" && filter.Before.Parse(text) != nil {
		return filter, wrongParameter("before", "must be a delivery's id")
	}
	filter.Status = webhook.Status(query.Get("status"))
	if filter.Status != "" && !slices.Contains(deliveryStatuses, filter.Status) {
		return filter, wrongParameter("status", "must be open, delivered, given_up or canceled")
	}
	return filter, nil
}

func showDelivery(w *writer, d webhook.Delivery) {
	named(w, "id", d.ID)
	named(w, "endpoint", d.Endpoint)
	w.string("door", string(d.Door))
	w.string("url", d.URL)
	w.string("kind", string(d.Event.Kind))
	named(w, "payment", d.Event.Payment)
	showSubject(w, payment.Event{Kind: d.Event.Kind, Subject: d.Event.Subject})
	w.number("version", d.Event.Version)
	w.string("status", string(d.Status))
	w.number("attempts", int64(d.Attempts))
	w.time("at", d.Event.At)
	w.time("first_at", d.FirstAt)
	w.time("ended_at", d.EndedAt)
}

// getDelivery shows a delivery, what it says, and every attempt to make it.
func (a *API) getDelivery(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	var id payment.DeliveryID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("delivery")
	}
	delivery, err := a.config.Deliveries.Delivery(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	attempts, err := a.config.Deliveries.Attempts(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	showDelivery(to, delivery)
	to.beginList("attempt_list")
	for _, attempt := range attempts {
		showDeliveryAttempt(to, attempt)
	}
	to.endList()
	if _, err := wire.Parse(delivery.Body); err == nil {
		to.raw("body", string(delivery.Body))
	} else {
		to.maybe("body", string(delivery.Body))
	}
	to.end()
	write(w, http.StatusOK, false, to.text)
	return nil
}

func showDeliveryAttempt(w *writer, attempt webhook.Attempt) {
	w.begin("")
	w.number("number", int64(attempt.Number))
	w.time("at", attempt.At)
	w.number("took_ms", attempt.Took.Milliseconds())
	if attempt.StatusCode > 0 {
		w.number("status_code", int64(attempt.StatusCode))
	}
	w.maybe("error", attempt.Error)
	w.maybe("answer", attempt.Answer)
	w.end()
}

// resendDelivery makes a delivery that has ended once more.
func (a *API) resendDelivery(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	var id payment.DeliveryID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("delivery")
	}
	if err := a.config.Deliveries.Resend(r.Context(), caller.Tenant, id); err != nil {
		return err
	}
	delivery, err := a.config.Deliveries.Delivery(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	showDelivery(to, delivery)
	to.end()
	write(w, http.StatusAccepted, false, to.text)
	return nil
}
