package openapi_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/openapi"
)

// hats is a small document: an operation that takes and answers a hat.
func hats() openapi.Document {
	size := &openapi.Schema{Name: "Size", Doc: "In <cm>.", Type: openapi.Integer, Min: new(int64(1))}
	hat := &openapi.Schema{
		Name: "Hat", Type: openapi.Object, IsClosed: true, Members: []openapi.Member{
			{Name: "size", IsRequired: true, Schema: size, Doc: "Around the head."},
			{Name: "colors", Schema: &openapi.Schema{Type: openapi.Array, Items: &openapi.Schema{Words: []string{"red", "blue"}}}},
			{Name: "note", Schema: &openapi.Schema{Type: openapi.String, IsNullable: true}},
			{Name: "brim", Schema: &openapi.Schema{Type: openapi.Boolean}},
			{Name: "none", Schema: &openapi.Schema{Type: openapi.Object, IsClosed: true}},
			{Name: "any", Schema: &openapi.Schema{Name: "Any", Type: openapi.Object}},
		},
		Needs: []openapi.Need{{If: "note", Then: "size"}},
		OneOf: []*openapi.Schema{
			{Members: []openapi.Member{{Name: "note", IsRequired: true}}}, {Members: []openapi.Member{{Name: "brim", IsRequired: true}}},
		},
	}
	return openapi.Document{
		Title: "Hats", Version: "1", License: "MIT", Servers: []openapi.Server{{URL: "/"}}, Tags: []openapi.Tag{{Name: "Hats"}},
		Schemes: []openapi.Scheme{{Name: "key", HTTP: "bearer"}},
		Operations: []openapi.Operation{{
			Method: "PUT", Path: "/hats/{id}", ID: "putHat", Summary: "Put a hat", Tag: "Hats", Scheme: "key", Roles: []string{"hats"},
			Parameters: []openapi.Parameter{{Name: "id", In: "path", IsRequired: true, Schema: &openapi.Schema{Type: openapi.String}}},
			Body:       &openapi.Content{Media: "application/json", Schema: hat, Example: openapi.Raw(`{"size": 57, "brim": true}`)},
			Answers: []openapi.Answer{{
				Status: 200, Doc: "The hat.", Contents: []openapi.Content{{Media: "application/json", Schema: hat}},
				Headers: []openapi.Header{{Name: "Location", Schema: &openapi.Schema{Type: openapi.String}}},
			}, {Component: "gone", Status: 410, Doc: "No hat."}},
		}},
	}
}

// What has a name is written once and referred to, in the order of the program,
// and as it stands: HTML is nobody's business here.
func TestDocumentIsWrittenInOrder(t *testing.T) {
	t.Parallel()
	text := string(hats().JSON())
	for _, part := range []string{
		`"put": {
        "operationId": "putHat",
        "summary": "Put a hat",
        "tags": [
          "Hats"
        ],
        "security": [
          {
            "key": [
              "hats"
            ]
          }
        ],`,
		`"example": {
                "size": 57,
                "brim": true
              }`,
		`"size": {
            "$ref": "#/components/schemas/Size",
            "description": "Around the head."
          },
          "colors": {
            "type": "array",
            "items": {
              "enum": [
                "red",
                "blue"
              ]
            }
          },
          "note": {
            "type": [
              "string",
              "null"
            ]
          },`,
		`"dependentRequired": {
          "note": [
            "size"
          ]
        },
        "additionalProperties": false,
        "oneOf": [`,
		`"description": "In <cm>."`, `"$ref": "#/components/responses/gone"`, `"$ref": "#/components/headers/Location"`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s", part)
		}
	}
	if strings.Count(text, `"Hat": {`) != 1 || strings.Count(text, `"#/components/schemas/Hat"`) != 2 {
		t.Errorf("a hat is not written once: %s", text)
	}
}

func TestTypesAreTypeScript(t *testing.T) {
	t.Parallel()
	const want = `// Hats.

export type Any = Record<string, unknown>;

export type Hat = {
  /** Around the head. */
  size: Size;
  colors?: Array<"red" | "blue">;
  note?: string | null;
  brim?: boolean;
  none?: Record<string, never>;
  any?: Any;
} & ({ note: string | null } | { brim: boolean });

/** In <cm>. */
export type Size = number;

/** What each operation takes, and answers when it succeeds. */
export interface Operations {
  /** Put a hat. */
  putHat: {
    method: "PUT";
    path: "/hats/{id}";
    params: {
      id: string;
    };
    body: Hat;
    answer: Hat;
  };
}
`
	if diff := cmp.Diff(want, string(hats().TypeScript("Hats."))); diff != "" {
		t.Error(diff)
	}
}
