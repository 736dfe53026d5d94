package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
)

// demoCommand plays a story: the main job in one command.
type demoCommand struct {
	Keep   bool   `help:"Leave the server running afterwards, and say what to try next."`
	Data   string `help:"Folder to play in, empty or a sandbox's; it is kept. Else a temporary one is used and removed." type:"path"`
	Listen string `help:"Address to answer on." default:"127.0.0.1:0"`
}

const (
	storyPatience = 50 * time.Second // with the whole story
	demoPatience  = time.Second      // with requests in flight at its end
)

// Run implements the command: it fails if any refund comes to another end than
// it should, or if anything in the books differs.
func (c *demoCommand) Run(ctx context.Context, t *terminal) (err error) {
	folder := c.Data
	if folder == "" {
		if folder, err = os.MkdirTemp("", "refundry-demo-"); err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		defer func() { _ = os.RemoveAll(folder) }() // what is left of it does no harm
	} else if err := prepareFolder(folder); err != nil {
		return err
	}
	s, err := service.Open(ctx, service.Config{
		Data: folder, IsSandbox: true, Machine: machineTime, NewID: newID, Luck: luck, Log: t.quiet(),
	})
	if err != nil {
		return err
	}
	return errors.Join(c.play(ctx, t, s, folder), s.Close())
}

// prepareFolder makes the folder, and spares one that holds anything else than
// a sandbox.
func prepareFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("read the data folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "sandbox.json")); err != nil && len(files) > 0 {
		return fault.New(fault.Invalid, "the demo plays in an empty folder or in a sandbox's")
	}
	return nil
}

// play serves the sandbox and tells the story to it.
func (c *demoCommand) play(ctx context.Context, t *terminal, s *service.Service, folder string) error {
	heard, err := listenForWebhooks(ctx)
	if err != nil {
		return err
	}
	defer heard.close()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	var story *story
	asItIs := func(handler http.Handler) http.Handler { return handler }
	err = host{
		service: s, listen: c.Listen, data: folder, wrap: asItIs, patience: demoPatience, log: t.quiet(),
	}.run(serving, func(url string) error {
		_, file, err := s.PrepareSandbox(ctx, url)
		if err != nil {
			return err
		}
		if err := s.PrepareEndpoints(ctx, map[payment.Door]string{
			"smartglocal": heard.url + "/smartglocal", "pike": heard.url + "/pike", "primer": heard.url + "/primer",
			"api": heard.url + "/api",
		}); err != nil {
			return err
		}
		telling, cancel := context.WithTimeout(ctx, storyPatience)
		defer cancel()
		story = newStory(telling, t, s, file, heard)
		if err := story.tell(); err != nil {
			return err
		}
		if !c.Keep {
			stop()
			return nil
		}
		story.tryNext(folder, c.Data == "")
		go story.listen(serving)
		return nil
	})
	return err
}
