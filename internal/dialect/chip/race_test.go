package chip_test

import (
	"sync"
	"testing"
)

// However many ask for the same at once, on either store, it is done once.
func TestRaces(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		t.Run("capture and release", s.raceActions)
		t.Run("cancel and a payer", s.raceCancel)
		t.Run("refunds of all", s.raceRefunds)
		t.Run("one key", s.raceKeys)
		s.Clean()
	})
}

// at runs something several times at once, and counts what comes of it.
func at(times int, do func(n int) string) map[string]int {
	var mutex sync.Mutex
	counts := map[string]int{}
	var running sync.WaitGroup
	for n := range times {
		running.Go(func() {
			came := do(n)
			mutex.Lock()
			defer mutex.Unlock()
			counts[came]++
		})
	}
	running.Wait()
	return counts
}

func (s shop) raceActions(t *testing.T) {
	id := s.held()
	answers := at(12, func(n int) string { return s.act(id, []string{"capture", "release"}[n%2], "").String()[:3] })
	if answers["OK "] != 1 || answers["Bad"] != 11 {
		t.Errorf("answers: %v", answers)
	}
}

// raceCancel lets purchases be canceled while their payers pay: what is held is
// not released by it.
func (s shop) raceCancel(t *testing.T) {
	at(24, func(n int) string {
		id := s.create("skip_capture", "true")
		var both sync.WaitGroup
		both.Go(func() { s.submit(id, card()) })
		for range 4 {
			both.Go(func() {
				if got := s.act(id, "cancel", ""); got.Status == 200 && got.At("status") != "cancelled" {
					t.Errorf("canceled: %s", steps(got))
				}
			})
		}
		both.Wait()
		return ""
	})
}

func (s shop) raceRefunds(t *testing.T) {
	id := s.paid(5900)
	answers := at(16, func(int) string { return codeOf(s.refund(id, "")) })
	noes := answers["__all__ purchase_refund_wrong_status"] + answers["__all__ purchase_refund_not_possible"]
	if answers[""] != 1 || noes != 15 {
		t.Errorf("answers: %v", answers)
	}
	is(t, "afterwards", s.purchase(id), "refunded", "none", 0)
}

func (s shop) raceKeys(t *testing.T) {
	id := s.paid(5900)
	payments := at(12, func(int) string {
		got := s.refund(id, `{"amount":100}`, headerKey, "a")
		if got.Status != 200 {
			return codeOf(got)
		}
		return text(got.At("id"))
	})
	delete(payments, "__all__ conflict")
	if len(payments) != 1 {
		t.Errorf("payments: %v", payments)
	}
	is(t, "afterwards", s.purchase(id), "refunded", "all", 5800)
}
