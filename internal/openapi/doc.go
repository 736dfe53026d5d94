// Package openapi writes OpenAPI 3.1 documents, and TypeScript types, from
// what a front door declares in Go.
//
// A [Document] has operations, an operation has schemas. Whatever has a name
// of a component is written once, and referred to. The package knows as much
// of OpenAPI and JSON Schema as we use; it reads no document and checks no
// request.
package openapi
