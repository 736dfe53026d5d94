package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// trouble is one thing that goes wrong outside, and how it must end.
type trouble struct {
	amount  int // its last four digits let the sandbox behave so
	outside string
	passes  string // a status on the way
	then    string // what the passing status means
	end     string
	means   string
	moved   int // how often money moves
	left    int // of the payment, in the end
}

const troublePaid = 20000

var troubles = []trouble{
	{
		amount: 9001, outside: "declined by the issuer",
		end: "declined", means: "nothing was given back, so all of it may be asked for again", left: troublePaid,
	},
	{
		amount: 9005, outside: "no answer in time, although money moved",
		passes: "unknown", then: "a timeout is not a no: the amount stays reserved, and the processor is asked what became of it",
		end: "succeeded", means: "the processor knew it; nothing was sent twice", moved: 1, left: troublePaid - 9005,
	},
	{
		amount: 9006, outside: "no answer in time, and nothing arrived",
		passes: "unknown", then: "the processor does not know it: the same attempt is sent again, under the same key",
		end: "succeeded", means: "this time it arrived; it was given back once", moved: 1, left: troublePaid - 9006,
	},
	{
		amount: 9007, outside: "succeeded; later the payer's account turns out to be closed, and the money comes back",
		end: "returned", means: "it may be given back again, in another way", moved: 1, left: troublePaid,
	},
}

// outside is what goes wrong out there.
func (s *story) outside() error {
	s.title("4. What goes wrong outside",
		"The sandbox processor behaves badly on demand: the last four digits of an amount choose how. Its clock is\n"+
			"moved ahead instead of waiting.")
	for _, trouble := range troubles {
		if err := s.meet(trouble); err != nil {
			return fmt.Errorf("amount %d: %w", trouble.amount, err)
		}
	}
	return nil
}

// meet asks for one refund that meets trouble, and lets the clock run.
func (s *story) meet(is trouble) error {
	_, paid, err := s.merchant.own(http.MethodPost, "/v1/payments", fmt.Sprintf(`{"amount":%d,"currency":"EUR"}`, troublePaid), "")
	if err != nil {
		return err
	}
	status, refund, err := s.merchant.own(http.MethodPost, "/v1/refunds",
		fmt.Sprintf(`{"payment":"%v","currency":"EUR","amount":%d}`, paid["id"], is.amount), "")
	if err != nil {
		return err
	}
	if err := expect("the answer to POST /v1/refunds", status, http.StatusCreated); err != nil {
		return err
	}
	id := fmt.Sprint(refund["id"])
	s.say(asks, "POST /v1/refunds: 90.%02d EUR of 200.00", is.amount%100)
	s.say(sends, "give 90.%02d EUR back, as one attempt that was written down before", is.amount%100)
	s.say(hears, "%s", is.outside)
	if is.passes != "" {
		if err := s.reach(id, is.passes, false); err != nil {
			return err
		}
		s.say(thinks, "%s: %s", is.passes, is.then)
	}
	if err := s.reach(id, is.end, true); err != nil {
		return err
	}
	if err := s.toldOwn(id, "refund."+is.end); err != nil {
		return err
	}
	return s.compare(is, id, fmt.Sprint(paid["id"]))
}

// reach waits until a refund has a status, moving the clock ahead if it must.
func (s *story) reach(refund, want string, moves bool) error {
	var passed []string
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for s.ctx.Err() == nil {
		_, now, err := s.merchant.own(http.MethodGet, "/v1/refunds/"+refund, "", "")
		if err != nil {
			return err
		}
		status := fmt.Sprint(now["status"])
		if status == want {
			return nil
		}
		if !slices.Contains(passed, status) {
			passed = append(passed, status)
		}
		if moves {
			if _, _, err := s.merchant.own(http.MethodPost, "/sandbox/clock", `{"advance":"1s"}`, ""); err != nil {
				return err
			}
		}
		select {
		case <-pause.C:
		case <-s.ctx.Done():
		}
	}
	return fmt.Errorf("the refund was %s and never %s", strings.Join(passed, ", "), want)
}

// compare compares what was sent with what moved and what is left.
func (s *story) compare(is trouble, refund, paid string) error {
	_, counted, err := s.merchant.own(http.MethodGet, "/sandbox/movements?refund="+refund, "", "")
	if err != nil {
		return err
	}
	_, now, err := s.merchant.own(http.MethodGet, "/v1/payments/"+paid, "", "")
	if err != nil {
		return err
	}
	attempts, _ := counted["movements"].([]any)
	s.say(thinks, "%s: %s", is.end, is.means)
	s.say(thinks, "money that moved: %v × 90.%02d EUR, refundable: %v", dig(counted, "movements.0.count"), is.amount%100, now["refundable"])
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"the number of attempts", len(attempts), 1},
		{"the count of movements", dig(counted, "movements.0.count"), is.moved},
		{"what is refundable", now["refundable"], is.left},
		{"what is reserved", now["reserved"], 0},
	} {
		if err := expect(check.what, check.got, check.want); err != nil {
			return err
		}
	}
	return nil
}
