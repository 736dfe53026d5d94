package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// download takes a long answer from the server: to a file, or to standard
// output if none is named.
func (o *operator) download(ctx context.Context, t *terminal, path, file string,
	copied func(to io.Writer, from io.Reader) error,
) error {
	response, err := o.send(ctx, http.MethodGet, path, "application/json", nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return problemOf(text, response.StatusCode)
	}
	if file == "" {
		return copied(t.stdout, response.Body)
	}
	return writeWhole(file, response.Body, copied)
}

// writeWhole copies an answer to a file, which gets its name only when all of
// the answer is in it.
func writeWhole(path string, from io.Reader, copied func(to io.Writer, from io.Reader) error) error {
	unfinished := path + ".part"
	file, err := os.Create(unfinished)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := errors.Join(copied(file, from), file.Close()); err != nil {
		return errors.Join(err, os.Remove(unfinished))
	}
	return os.Rename(unfinished, path)
}

// asItIs copies an answer byte by byte.
func asItIs(to io.Writer, from io.Reader) error {
	_, err := io.Copy(to, from)
	return err
}
