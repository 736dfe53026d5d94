package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// TypeScript returns the document's types: one for each component that is a
// schema, and what each operation takes and answers. The head is the first
// comment.
func (d Document) TypeScript(head string) []byte {
	w := &typing{schemas: map[string]*Schema{}}
	operations := slices.Concat(d.Operations, d.Webhooks)
	for _, operation := range operations {
		w.gather(operation)
	}
	var to strings.Builder
	for line := range strings.SplitSeq(head, "\n") {
		to.WriteString("// " + line + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(w.schemas)) {
		schema := w.schemas[name]
		to.WriteString("\n" + comment(schema.Doc, ""))
		if isInterface(schema) {
			to.WriteString("export interface " + name + " " + w.object(schema, "") + "\n")
		} else {
			to.WriteString("export type " + name + " = " + w.body(schema, "") + ";\n")
		}
	}
	to.WriteString("\n" + comment("What each operation takes, and answers when it succeeds.", ""))
	to.WriteString("export interface Operations {\n")
	for _, operation := range d.Operations {
		to.WriteString(w.operation(operation))
	}
	to.WriteString("}\n")
	return []byte(to.String())
}

// typing gathers the schemas that have names.
type typing struct {
	schemas map[string]*Schema
}

func (w *typing) gather(o Operation) {
	for _, parameter := range o.Parameters {
		w.see(parameter.Schema)
	}
	if o.Body != nil {
		w.see(o.Body.Schema)
	}
	for _, answer := range o.Answers {
		for _, content := range answer.Contents {
			w.see(content.Schema)
		}
	}
}

func (w *typing) see(s *Schema) {
	if s == nil || s.Name != "" && w.schemas[s.Name] != nil {
		return
	}
	if s.Name != "" {
		w.schemas[s.Name] = s
	}
	for _, member := range s.Members {
		w.see(member.Schema)
	}
	for _, part := range slices.Concat([]*Schema{s.Items, s.Rest, s.Content}, s.AnyOf, s.AllOf) {
		w.see(part)
	}
}

// isInterface reports whether a schema is nothing but its members.
func isInterface(s *Schema) bool {
	return s.Type == Object && len(s.Members) > 0 && !s.IsNullable && len(s.OneOf) == 0 && len(s.AnyOf) == 0 && s.Rest == nil
}

// of returns the type of a schema: its name, if it has one.
func (w *typing) of(s *Schema, indent string) string {
	if s.Name != "" {
		return s.Name
	}
	return w.body(s, indent)
}

// body returns the type that a schema describes.
func (w *typing) body(s *Schema, indent string) string {
	text := w.plain(s, indent)
	if len(s.OneOf) > 0 {
		branches := make([]string, len(s.OneOf))
		for i, branch := range s.OneOf {
			branches[i] = w.branch(s, branch, indent)
		}
		text += " & (" + strings.Join(branches, " | ") + ")"
	}
	if s.IsNullable {
		text += " | null"
	}
	return text
}

func (w *typing) plain(s *Schema, indent string) string {
	switch {
	case s.Const != nil:
		return literal(s.Const)
	case len(s.Words) > 0:
		words := make([]string, len(s.Words))
		for i, word := range s.Words {
			words[i] = literal(word)
		}
		return strings.Join(words, " | ")
	}
	switch s.Type {
	case String:
		return "string"
	case Integer:
		return "number"
	case Boolean:
		return "boolean"
	case Array:
		element := w.of(s.Items, indent)
		if strings.ContainsAny(element, " |&") {
			return "Array<" + element + ">"
		}
		return element + "[]"
	case Object:
		if s.Rest != nil {
			return "Record<string, " + w.of(s.Rest, indent) + ">"
		}
		return w.object(s, indent)
	case Any:
	}
	if len(s.AnyOf) > 0 {
		branches := make([]string, len(s.AnyOf))
		for i, branch := range s.AnyOf {
			branches[i] = w.of(branch, indent)
		}
		return strings.Join(branches, " | ")
	}
	return "unknown"
}

// branch returns what one of several alternatives adds to an object: members
// that are not optional any more.
func (w *typing) branch(of, branch *Schema, indent string) string {
	var members []string
	for _, needed := range branch.Members {
		for _, member := range of.Members {
			if member.Name == needed.Name {
				members = append(members, member.Name+": "+w.of(member.Schema, indent))
			}
		}
	}
	return "{ " + strings.Join(members, "; ") + " }"
}

// object returns an object's members; anything if none has a name, or nothing
// if it takes none.
func (w *typing) object(s *Schema, indent string) string {
	switch {
	case len(s.Members) == 0 && s.IsClosed:
		return "Record<string, never>"
	case len(s.Members) == 0:
		return "Record<string, unknown>"
	}
	var to strings.Builder
	to.WriteString("{\n")
	deeper := indent + "  "
	for _, member := range s.Members {
		doc := member.Doc
		if doc == "" && member.Schema.Name == "" {
			doc = member.Schema.Doc
		}
		to.WriteString(comment(doc, deeper))
		optional := "?"
		if member.IsRequired {
			optional = ""
		}
		to.WriteString(deeper + property(member.Name) + optional + ": " + w.of(member.Schema, deeper) + ";\n")
	}
	to.WriteString(indent + "}")
	return to.String()
}

// operation returns what an operation takes and answers.
func (w *typing) operation(o Operation) string {
	var to strings.Builder
	to.WriteString(comment(o.Summary+".", "  "))
	fmt.Fprintf(&to, "  %s: {\n    method: %s;\n    path: %s;\n", o.ID, literal(o.Method), literal(o.Path))
	for _, in := range []string{"path", "query", "header"} {
		var members []Member
		for _, parameter := range o.Parameters {
			if parameter.In == in {
				members = append(members, Member{
					Name: parameter.Name, Doc: parameter.Doc, IsRequired: parameter.IsRequired, Schema: parameter.Schema,
				})
			}
		}
		if len(members) > 0 {
			name := map[string]string{"path": "params", "query": "query", "header": "headers"}[in]
			fmt.Fprintf(&to, "    %s: %s;\n", name, w.object(&Schema{Type: Object, Members: members}, "    "))
		}
	}
	if o.Body != nil {
		fmt.Fprintf(&to, "    body: %s;\n", w.of(o.Body.Schema, "    "))
	}
	fmt.Fprintf(&to, "    answer: %s;\n  };\n", w.answer(o))
	return to.String()
}

// answer returns what an operation answers when it succeeds.
func (w *typing) answer(o Operation) string {
	for _, answer := range o.Answers {
		if answer.Status < 300 && len(answer.Contents) > 0 {
			return w.of(answer.Contents[0].Schema, "    ")
		}
	}
	return "void"
}

func literal(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic("openapi: a value that is not JSON: " + err.Error())
	}
	return string(text)
}

// property returns a name as an object's member has it.
func property(name string) string {
	for i := range len(name) {
		letter := name[i] | 0x20
		if letter < 'a' || letter > 'z' {
			if name[i] != '_' && (i == 0 || name[i] < '0' || name[i] > '9') {
				return strconv.Quote(name)
			}
		}
	}
	return name
}

// comment returns a text as a comment of its own; nothing for the empty text.
func comment(text, indent string) string {
	if text == "" {
		return ""
	}
	return indent + "/** " + strings.ReplaceAll(strings.ReplaceAll(text, "*/", "*\\/"), "\n", "\n"+indent+" * ") + " */\n"
}
