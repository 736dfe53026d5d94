package api

// KindTable returns the table of kinds of events of docs/webhooks.md.
func KindTable() string {
	table := "| kind | told | |\n| --- | --- | --- |\n"
	for _, known := range eventKinds {
		told := "feed only"
		if isTold(known.Kind) {
			told = "yes"
		}
		table += "| `" + string(known.Kind) + "` | " + told + " | " + known.Doc + " |\n"
	}
	return table
}

// EventKinds returns the names of all kinds of event.
func EventKinds() (names []string) {
	for _, known := range eventKinds {
		names = append(names, string(known.Kind))
	}
	return names
}
