package wire

import "strings"

// Cell keeps a spreadsheet that opens a CSV from taking somebody's text for a
// formula: an apostrophe goes before a text that begins as one does, also in the
// wide letters that some spreadsheets take for the narrow ones.
func Cell(text string) string {
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(text, start) {
			return "'" + text
		}
	}
	return text
}
