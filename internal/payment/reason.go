package payment

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/setting"
)

// Reason is one of the reasons that a tenant's refunds may have.
type Reason struct {
	Code      string
	Title     string          // for people; empty: the code says it
	Words     map[Door]string // what doors call it that have words of their own
	DefaultAt []Door          // where a refund has it for which nothing says another
	IsRetired bool            // refunds that have it keep it, no other may take it
}

const (
	// ReasonsMax is how many reasons a catalogue may have: people choose among them.
	ReasonsMax = 100

	reasonLetters = 255 // of a code
)

// isReasonCode reports whether a text can be a reason's code: lines of the other
// settings of the catalogue name it before an equals sign.
func isReasonCode(text string) bool {
	return text != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= reasonLetters &&
		!strings.ContainsFunc(text, func(letter rune) bool { return letter == '=' || unicode.IsControl(letter) })
}

// What the catalogue of reasons has besides the codes of [PolicyReasons]. A
// line about a code that there is not says nothing.
var (
	ReasonTitles = setting.NewList("reasons.titles",
		"What people read for the reasons of policy.reasons, each as code=title.")
	ReasonWords = setting.NewList("reasons.words",
		"What front doors call the reasons of policy.reasons, each as code=door=word.")
	ReasonDefaults = setting.NewList("reasons.defaults",
		"Which of policy.reasons a refund has at a front door where nothing says another, each as code=door.")
	ReasonsRetired = setting.NewList("reasons.retired",
		"Those of policy.reasons that no other refund may take.")
)

// ReasonSpecs lists the settings of the catalogue.
var ReasonSpecs = []setting.Spec{ReasonTitles.Spec, ReasonWords.Spec, ReasonDefaults.Spec, ReasonsRetired.Spec}

// ReasonsOf returns a tenant's catalogue of reasons, in its order; none: any
// reason is taken.
func ReasonsOf(values setting.Values) []Reason {
	var reasons []Reason
	for _, code := range PolicyReasons.Of(values) {
		reasons = append(reasons, reasonOf(values, code))
	}
	return reasons
}

// reasonOf returns what the catalogue says of a code.
func reasonOf(values setting.Values, code string) Reason {
	reason := Reason{Code: code, IsRetired: slices.Contains(ReasonsRetired.Of(values), code)}
	for _, line := range ReasonTitles.Of(values) {
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
	for _, line := range ReasonDefaults.Of(values) {
		if of, door, ok := strings.Cut(line, "="); ok && of == code {
			reason.DefaultAt = append(reason.DefaultAt, Door(door))
		}
	}
	return reason
}

// ReasonSettings returns the settings of a catalogue: [ReasonsOf] reads it from
// them. No code has an equals sign.
func ReasonSettings(reasons []Reason) map[string]any {
	codes, titles, words, defaults, retired := []string{}, []string{}, []string{}, []string{}, []string{}
	for _, reason := range reasons {
		codes = append(codes, reason.Code)
		if reason.Title != "" {
			titles = append(titles, reason.Code+"="+reason.Title)
		}
		for door, word := range reason.Words {
			words = append(words, reason.Code+"="+string(door)+"="+word)
		}
		for _, door := range reason.DefaultAt {
			defaults = append(defaults, reason.Code+"="+string(door))
		}
		if reason.IsRetired {
			retired = append(retired, reason.Code)
		}
	}
	slices.Sort(words)
	return map[string]any{
		PolicyReasons.Name: codes, ReasonTitles.Name: titles, ReasonWords.Name: words, ReasonDefaults.Name: defaults,
		ReasonsRetired.Name: retired,
	}
}

// Means reports whether everything that was said of a reason is said of the
// other one too: what had no title, or no word at a door, may get one.
func (r Reason) Means(earlier Reason) bool {
	if earlier.Title != "" && r.Title != earlier.Title {
		return false
	}
	for door, word := range earlier.Words {
		if r.Words[door] != word {
			return false
		}
	}
	return r.Code == earlier.Code
}

// ReasonWord is why, in the words of a door that does not know the tenant's codes.
type ReasonWord struct {
	Text     string
	IsListed bool // it is one of a list that the door's specification has
}

// CodeOf returns the tenant's code for a door's word: the first reason of the
// catalogue that the door calls so; the one whose code is the word; the door's
// default; and else, for a word that the door's specification lists, the word
// itself, which the tenant cannot have meant to forbid. Retired ones are passed
// over. isOwn says that the word stands for itself beside a catalogue.
func (w ReasonWord) CodeOf(values setting.Values, door Door) (code string, isOwn bool) {
	codes := PolicyReasons.Of(values)
	if len(codes) == 0 {
		if w.IsListed {
			return w.Text, false
		}
		return "", false
	}
	retired := ReasonsRetired.Of(values)
	first := func(lines []string, line func(code string) string) string {
		for _, code := range codes {
			if !slices.Contains(retired, code) && slices.Contains(lines, line(code)) {
				return code
			}
		}
		return ""
	}
	if w.Text != "" {
		if code := first(ReasonWords.Of(values), func(code string) string {
			return code + "=" + string(door) + "=" + w.Text
		}); code != "" {
			return code, false
		}
		if code := first([]string{w.Text}, func(code string) string { return code }); code != "" {
			return code, false
		}
	}
	if code := first(ReasonDefaults.Of(values), func(code string) string { return code + "=" + string(door) }); code != "" {
		return code, false
	}
	if w.IsListed {
		return w.Text, true
	}
	return "", false
}

// WordFor returns what a door calls a reason; empty: the catalogue does not say.
func WordFor(values setting.Values, door Door, code string) string {
	about := code + "=" + string(door) + "="
	for _, line := range ReasonWords.Of(values) {
		if word, ok := strings.CutPrefix(line, about); ok && slices.Contains(PolicyReasons.Of(values), code) {
			return word
		}
	}
	return ""
}
