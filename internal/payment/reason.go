package payment

import (
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/setting"
)

// Reason is one of the reasons that a tenant's refunds may have.
type Reason struct {
	Code  string
	Title string          // for people; empty: the code says it
	Words map[Door]string // what doors call it that have words of their own
}

// What the catalogue of reasons has besides the codes of [PolicyReasons]. A
// line about a code that there is not says nothing.
var (
	ReasonTitles = setting.NewList("reasons.titles",
		"What people read for the reasons of policy.reasons, each as code=title.")
	ReasonWords = setting.NewList("reasons.words",
		"What front doors call the reasons of policy.reasons, each as code=door=word.")
)

// ReasonSpecs lists the settings of the catalogue.
var ReasonSpecs = []setting.Spec{ReasonTitles.Spec, ReasonWords.Spec}

// ReasonsOf returns a tenant's catalogue of reasons, in its order; none: any
// reason is taken.
func ReasonsOf(values setting.Values) []Reason {
	titles := ReasonTitles.Of(values)
	var reasons []Reason
	for _, code := range PolicyReasons.Of(values) {
		reason := Reason{Code: code}
		for _, line := range titles {
			if of, title, ok := strings.Cut(line, "="); ok && of == code {
				reason.Title = title
			}
		}
		for _, line := range ReasonWords.Of(values) {
			of, rest, _ := strings.Cut(line, "=")
			door, word, ok := strings.Cut(rest, "=")
			if !ok || of != code {
				continue
			}
			if reason.Words == nil {
				reason.Words = map[Door]string{}
			}
			reason.Words[Door(door)] = word
		}
		reasons = append(reasons, reason)
	}
	return reasons
}

// ReasonSettings returns the settings of a catalogue: [ReasonsOf] reads it from
// them. No code has an equals sign.
func ReasonSettings(reasons []Reason) map[string]any {
	codes, titles, words := []string{}, []string{}, []string{}
	for _, reason := range reasons {
		codes = append(codes, reason.Code)
		if reason.Title != "" {
			titles = append(titles, reason.Code+"="+reason.Title)
		}
		for door, word := range reason.Words {
			words = append(words, reason.Code+"="+string(door)+"="+word)
		}
	}
	slices.Sort(words)
	return map[string]any{PolicyReasons.Name: codes, ReasonTitles.Name: titles, ReasonWords.Name: words}
}
