// The linter of OpenAPI documents: it says what is wrong with one, by the rules
// of a file, and fails if anything is.
//
//	openapi DOCUMENT RULES
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/speakeasy-api/openapi/linter"
	"github.com/speakeasy-api/openapi/openapi"
	rules "github.com/speakeasy-api/openapi/openapi/linter"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// errFound says that the document has something in it that a rule forbids.
var errFound = errors.New("the document is not clean")

func run(ctx context.Context, arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("usage: openapi DOCUMENT RULES")
	}
	config, err := linter.LoadConfigFromFile(arguments[1])
	if err != nil {
		return err
	}
	file, err := os.Open(arguments[0])
	if err != nil {
		return err
	}
	defer file.Close()
	document, invalid, err := openapi.Unmarshal(ctx, file)
	if err != nil {
		return err
	}
	with, err := rules.NewLinter(config)
	if err != nil {
		return err
	}
	found, err := with.Lint(ctx, linter.NewDocumentInfo(document, arguments[0]), invalid, nil)
	if err != nil {
		return err
	}
	if len(found.Results) > 0 {
		fmt.Println(found.FormatText())
		return errFound
	}
	return nil
}
