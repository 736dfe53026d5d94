package main

import (
	"bytes"
	"testing"
)

func TestAnswersAreReadable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, answer string
		columns      []string
		want         string
	}{
		{
			"a page", `{"rows": [{"id": "a", "kinds": ["x", "y"]}], "next": "a", "has_more": false}`, []string{"id", "kinds"},
			"ID  KINDS\na   x,y\n",
		},
		{
			"a thing", `{"id": "a", "z": {"b": 1, "a": []}, "list": ["x"]}`, nil,
			"id    a\nlist  x\n\nz:\n{\n  \"b\": 1,\n  \"a\": []\n}\n",
		},
		{"the bytes of a body", `{"id": "a", "body": {"z":1, "a":1.50}}`, nil, "id  a\n\nbody:\n{\"z\":1, \"a\":1.50}\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var stdout bytes.Buffer
			if err := (&terminal{stdout: &stdout}).printAnswer([]byte(row.answer), row.columns); err != nil {
				t.Fatal(err)
			}
			if got := stdout.String(); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}
