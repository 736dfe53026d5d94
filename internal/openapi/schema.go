package openapi

// Type is a type of JSON values.
type Type string

// The types. The empty one is any of them.
const (
	Any     Type = ""
	Object  Type = "object"
	Array   Type = "array"
	String  Type = "string"
	Integer Type = "integer"
	Boolean Type = "boolean"
)

// Schema says which values a place takes, as JSON Schema does.
type Schema struct {
	Name       string // of the component; empty: it is written where it is used
	Doc        string
	Type       Type
	IsNullable bool // null is taken too
	Format     string
	Pattern    string
	Words      []string // what a text may be
	Const      any      // the only value
	Min, Max   *int64
	LengthMin  int // letters; 0: no limit
	LengthMax  int
	Media      string  // media type of a text that is a document of its own
	Content    *Schema // of a text's document, where it has one
	Items      *Schema
	ItemsMin   int
	ItemsMax   int
	Members    []Member
	IsClosed   bool      // members that are not named are refused
	Needs      []Need    // members that must be there beside others
	Rest       *Schema   // what members that are not named must be
	AnyOf      []*Schema // at least one of them fits
	OneOf      []*Schema // exactly one of them fits
	AllOf      []*Schema // all of them fit
	Not        *Schema   // it does not fit
	Default    any
	Example    any
}

// Member is a member of an object.
type Member struct {
	Name       string
	Doc        string // empty: its schema says it
	IsRequired bool
	Schema     *Schema
}

// Need says that a member must be there if another one is.
type Need struct{ If, Then string }

// schema returns how a schema is written: a reference, if it has a name.
func (w *writing) schema(s *Schema, doc string) object {
	if s.Name == "" {
		return w.body(s, doc)
	}
	w.component("schemas", s.Name, func() object { return w.body(s, "") })
	reference := object{{"$ref", "#/components/schemas/" + s.Name}}
	return reference.with("description", doc)
}

// body returns a schema's own keywords.
func (w *writing) body(s *Schema, doc string) object {
	if doc == "" {
		doc = s.Doc
	}
	var to object
	to = to.with("description", doc)
	switch {
	case s.Type == Any:
	case s.IsNullable:
		to = append(to, pair{"type", []string{string(s.Type), "null"}})
	default:
		to = append(to, pair{"type", string(s.Type)})
	}
	format := s.Format
	if s.Type == Integer && format == "" {
		format = "int64" // clients need not guess what fits
	}
	to = to.with("format", format).with("pattern", s.Pattern)
	to = append(to, words(s)...)
	to = append(to, bounds(s)...)
	if s.Media != "" {
		to = append(to, pair{"contentMediaType", s.Media})
	}
	if s.Content != nil {
		to = append(to, pair{"contentSchema", w.schema(s.Content, "")})
	}
	if s.Items != nil {
		to = append(to, pair{"items", w.schema(s.Items, "")})
	}
	to = append(to, w.members(s)...)
	for _, of := range []struct {
		keyword string
		schemas []*Schema
	}{{"anyOf", s.AnyOf}, {"oneOf", s.OneOf}, {"allOf", s.AllOf}} {
		if len(of.schemas) > 0 {
			to = append(to, pair{of.keyword, w.schemas(of.schemas)})
		}
	}
	if s.Not != nil {
		to = append(to, pair{"not", w.schema(s.Not, "")})
	}
	if s.Default != nil {
		to = append(to, pair{"default", s.Default})
	}
	if s.Example != nil {
		to = append(to, pair{"examples", []any{s.Example}})
	}
	return to
}

func (w *writing) schemas(all []*Schema) []object {
	written := make([]object, len(all))
	for i, one := range all {
		written[i] = w.schema(one, "")
	}
	return written
}

// words returns the keywords that name values.
func words(s *Schema) object {
	var to object
	if len(s.Words) > 0 {
		values := make([]any, 0, len(s.Words)+1)
		for _, word := range s.Words {
			values = append(values, word)
		}
		if s.IsNullable {
			values = append(values, nil)
		}
		to = append(to, pair{"enum", values})
	}
	if s.Const != nil {
		to = append(to, pair{"const", s.Const})
	}
	return to
}

// bounds returns the keywords that limit values.
func bounds(s *Schema) object {
	var to object
	if s.Min != nil {
		to = append(to, pair{"minimum", *s.Min})
	}
	if s.Max != nil {
		to = append(to, pair{"maximum", *s.Max})
	}
	for _, limit := range []struct {
		keyword string
		value   int
	}{
		{"minLength", s.LengthMin}, {"maxLength", s.LengthMax}, {"minItems", s.ItemsMin}, {"maxItems", s.ItemsMax},
	} {
		if limit.value > 0 {
			to = append(to, pair{limit.keyword, limit.value})
		}
	}
	return to
}

// members returns the keywords about an object's members.
func (w *writing) members(s *Schema) object {
	var to, members object
	var required []string
	for _, member := range s.Members {
		if member.IsRequired {
			required = append(required, member.Name)
		}
		if member.Schema != nil {
			members = append(members, pair{member.Name, w.schema(member.Schema, member.Doc)})
		}
	}
	if len(members) > 0 {
		to = append(to, pair{"properties", members})
	}
	if len(required) > 0 {
		to = append(to, pair{"required", required})
	}
	var needs object
	for _, need := range s.Needs {
		needs = append(needs, pair{need.If, []string{need.Then}})
	}
	if len(needs) > 0 {
		to = append(to, pair{"dependentRequired", needs})
	}
	switch {
	case s.Rest != nil:
		to = append(to, pair{"additionalProperties", w.schema(s.Rest, "")})
	case s.IsClosed:
		to = append(to, pair{"additionalProperties", false})
	}
	return to
}
