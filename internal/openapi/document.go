package openapi

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Document describes an HTTP API.
type Document struct {
	Title      string
	Version    string
	Doc        string // CommonMark, as all texts here
	License    string // SPDX
	Servers    []Server
	Tags       []Tag
	Schemes    []Scheme
	Operations []Operation
	Webhooks   []Operation // requests that we make; the path is the webhook's name
}

// Server is where operations are found.
type Server struct{ URL, Doc string }

// Tag is a group of operations.
type Tag struct{ Name, Doc string }

// Scheme is a way in which callers prove who they are: an HTTP scheme.
type Scheme struct{ Name, HTTP, Doc string }

// Operation is what a request to a path asks for.
type Operation struct {
	Method, Path string
	ID           string
	Summary      string
	Doc          string
	Tag          string
	Servers      []Server // empty: the document's
	Scheme       string   // by which callers prove who they are; empty: they need not
	Roles        []string // that they need
	Parameters   []Parameter
	Body         *Content // nil: it has none
	BodyIsNeeded bool
	Answers      []Answer // by status
}

// Parameter is a part of a path, a query or a header.
type Parameter struct {
	Component  string // its name as one; empty: it is written where it is used
	Name       string
	In         string // path, query or header
	Doc        string
	IsRequired bool
	Schema     *Schema
	Example    any
}

// Content is a body of one media type.
type Content struct {
	Media    string
	Schema   *Schema
	Example  any       // nil: none
	Examples []Example // instead of one
}

// Example is a value that shows how something looks; it is a component.
type Example struct {
	Name, Title, Doc string
	Value            any
}

// Answer is what comes back with one status.
type Answer struct {
	Component string // its name as one; empty: it is written where it is used
	Status    int
	Doc       string
	Headers   []Header
	Contents  []Content
}

// Header is a header of an answer; it is a component.
type Header struct {
	Name, Doc  string
	IsRequired bool
	Schema     *Schema
	Example    any
}

// JSON returns the document, indented.
func (d Document) JSON() []byte {
	w := &writing{components: map[string]map[string]object{}}
	paths := w.paths(d.Operations)
	info := object{{"title", d.Title}, {"version", d.Version}}.with("description", d.Doc)
	info = append(info, pair{"license", object{{"name", d.License}, {"identifier", d.License}}})
	tags := make([]object, len(d.Tags))
	for i, tag := range d.Tags {
		tags[i] = object{{"name", tag.Name}}.with("description", tag.Doc)
	}
	document := object{
		{"openapi", "3.1.0"}, {"info", info}, {"servers", servers(d.Servers)}, {"tags", tags}, {"paths", paths},
	}
	if len(d.Webhooks) > 0 {
		document = append(document, pair{"webhooks", w.paths(d.Webhooks)})
	}
	var components object
	for _, section := range []string{"schemas", "parameters", "headers", "responses", "examples"} {
		if len(w.components[section]) > 0 {
			components = append(components, pair{section, w.section(section)})
		}
	}
	components = append(components, pair{"securitySchemes", schemes(d.Schemes)})
	return indented(append(document, pair{"components", components}))
}

func servers(all []Server) []object {
	written := make([]object, len(all))
	for i, server := range all {
		written[i] = object{{"url", server.URL}}.with("description", server.Doc)
	}
	return written
}

func schemes(all []Scheme) object {
	var to object
	for _, scheme := range all {
		written := object{{"type", "http"}, {"scheme", scheme.HTTP}}.with("description", scheme.Doc)
		to = append(to, pair{scheme.Name, written})
	}
	return to
}

// paths returns operations by path, in the order of their first mention.
func (w *writing) paths(operations []Operation) object {
	var paths object
	at := map[string]int{}
	for _, operation := range operations {
		i, known := at[operation.Path]
		if !known {
			i = len(paths)
			at[operation.Path] = i
			paths = append(paths, pair{operation.Path, object(nil)})
		}
		item, _ := paths[i].value.(object)
		paths[i].value = append(item, pair{strings.ToLower(operation.Method), w.operation(operation)})
	}
	return paths
}

func (w *writing) operation(o Operation) object {
	to := object{{"operationId", o.ID}, {"summary", o.Summary}}.with("description", o.Doc)
	to = append(to, pair{"tags", []string{o.Tag}})
	if len(o.Servers) > 0 {
		to = append(to, pair{"servers", servers(o.Servers)})
	}
	security := []object{}
	if o.Scheme != "" {
		security = append(security, object{{o.Scheme, append([]string{}, o.Roles...)}})
	}
	to = append(to, pair{"security", security})
	if len(o.Parameters) > 0 {
		parameters := make([]object, len(o.Parameters))
		for i, parameter := range o.Parameters {
			parameters[i] = w.parameter(parameter)
		}
		to = append(to, pair{"parameters", parameters})
	}
	if o.Body != nil {
		to = append(to, pair{"requestBody", object{
			{"required", o.BodyIsNeeded}, {"content", w.contents([]Content{*o.Body})},
		}})
	}
	var answers object
	for _, answer := range o.Answers {
		answers = append(answers, pair{strconv.Itoa(answer.Status), w.answer(answer)})
	}
	return append(to, pair{"responses", answers})
}

func (w *writing) parameter(p Parameter) object {
	body := func() object {
		to := object{{"name", p.Name}, {"in", p.In}}.with("description", p.Doc)
		to = append(to, pair{"required", p.IsRequired}, pair{"schema", w.schema(p.Schema, "")})
		if p.Example != nil {
			to = append(to, pair{"example", p.Example})
		}
		return to
	}
	if p.Component == "" {
		return body()
	}
	w.component("parameters", p.Component, body)
	return object{{"$ref", "#/components/parameters/" + p.Component}}
}

func (w *writing) contents(all []Content) object {
	var to object
	for _, content := range all {
		media := object{{"schema", w.schema(content.Schema, "")}}
		if content.Example != nil {
			media = append(media, pair{"example", content.Example})
		}
		var examples object
		for _, example := range content.Examples {
			w.component("examples", example.Name, func() object {
				to := object(nil).with("summary", example.Title).with("description", example.Doc)
				return append(to, pair{"value", example.Value})
			})
			examples = append(examples, pair{example.Name, object{{"$ref", "#/components/examples/" + example.Name}}})
		}
		if len(examples) > 0 {
			media = append(media, pair{"examples", examples})
		}
		to = append(to, pair{content.Media, media})
	}
	return to
}

func (w *writing) answer(a Answer) object {
	body := func() object {
		to := object{{"description", a.Doc}}
		var headers object
		for _, header := range a.Headers {
			w.component("headers", header.Name, func() object { return w.header(header) })
			headers = append(headers, pair{header.Name, object{{"$ref", "#/components/headers/" + header.Name}}})
		}
		if len(headers) > 0 {
			to = append(to, pair{"headers", headers})
		}
		if len(a.Contents) > 0 {
			to = append(to, pair{"content", w.contents(a.Contents)})
		}
		return to
	}
	if a.Component == "" {
		return body()
	}
	w.component("responses", a.Component, body)
	return object{{"$ref", "#/components/responses/" + a.Component}}
}

func (w *writing) header(h Header) object {
	to := object(nil).with("description", h.Doc)
	to = append(to, pair{"required", h.IsRequired}, pair{"schema", w.schema(h.Schema, "")})
	if h.Example != nil {
		to = append(to, pair{"example", h.Example})
	}
	return to
}

// Raw is JSON as an example of a document.
func Raw(text string) json.RawMessage { return json.RawMessage(text) }
