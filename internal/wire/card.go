package wire

// HasCardNumber reports whether a text has something in it that looks like a
// card number: 13 to 19 digits in a row, single spaces or hyphens between them
// allowed, that begin as the schemes' numbers do (2 to 6) and satisfy Luhn's
// check. Such a text is never stored or logged. A UUID is none, whichever
// digits it has.
func HasCardNumber(text string) bool {
	var digits [19]byte
	run := 0 // digits in the row that ends here; beyond 19 it is no card number
	lastWasGap := false
	for i := 0; i <= len(text); i++ {
		switch {
		case run == 0 && isUUID(text[i:]):
			i += uuidLength - 1
		case i < len(text) && text[i] >= '0' && text[i] <= '9':
			if run < len(digits) {
				digits[run] = text[i] - '0'
			}
			run++
			lastWasGap = false
		case i < len(text) && (text[i] == ' ' || text[i] == '-') && run > 0 && !lastWasGap:
			lastWasGap = true
		default:
			if run >= 13 && run <= len(digits) && digits[0] >= 2 && digits[0] <= 6 && luhn(digits[:run]) {
				return true
			}
			run, lastWasGap = 0, false
		}
	}
	return false
}

const uuidLength = 36

// isUUID reports whether a text begins with a UUID.
func isUUID(text string) bool {
	if len(text) < uuidLength {
		return false
	}
	for i := range uuidLength {
		isHyphen := i == 8 || i == 13 || i == 18 || i == 23
		if isHyphen != (text[i] == '-') || !isHyphen && !isHexLetter(text[i]) {
			return false
		}
	}
	return len(text) == uuidLength || !isHexLetter(text[uuidLength])
}

func isHexLetter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// luhn reports whether digits end in the right check digit.
func luhn(digits []byte) bool {
	sum := 0
	for i, digit := range digits {
		value := int(digit)
		if (len(digits)-i)%2 == 0 {
			if value *= 2; value > 9 {
				value -= 9
			}
		}
		sum += value
	}
	return sum%10 == 0
}

// HasCardNumber reports whether any string or whole number in the value looks
// like a card number.
func (v Value) HasCardNumber() bool {
	switch v.kind {
	case String:
		return HasCardNumber(v.text)
	case Number:
		return HasCardNumber(string(v.raw))
	case Absent, Null, Bool:
		return false
	case Array, Object:
	}
	for _, m := range v.members {
		if HasCardNumber(m.name) || m.value.HasCardNumber() {
			return true
		}
	}
	for _, element := range v.elements {
		if element.HasCardNumber() {
			return true
		}
	}
	return false
}
