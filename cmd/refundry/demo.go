package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/web"
)

// demoCommand plays a story: the main job in one command.
type demoCommand struct {
	Keep   bool   `help:"Leave the server running afterwards, and say what to try next."`
	Listen string `help:"Address to answer on." default:"127.0.0.1:0"`
}

// storyPatience bounds the whole story.
const storyPatience = 50 * time.Second

// Run implements the command: it fails if any refund comes to another end than
// it should, or if anything in the books differs.
func (c *demoCommand) Run(ctx context.Context, t *terminal) error {
	folder, err := os.MkdirTemp("", "refundry-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }() // what is left of it does no harm
	s, err := service.Open(ctx, service.Config{
		Data: folder, IsSandbox: true, Machine: machineTime, NewID: newID, Luck: luck, Log: t.quiet(),
	})
	if err != nil {
		return err
	}
	return errors.Join(c.play(ctx, t, s, folder), s.Close())
}

// play serves the sandbox and tells the story to it.
func (c *demoCommand) play(ctx context.Context, t *terminal, s *service.Service, folder string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	var work, answers sync.WaitGroup
	work.Go(func() { s.Run(working) })
	answers.Go(func() { _ = web.Serve(serving, listener, s.Handler(), time.Second, t.log) }) // its end is ours
	defer func() {
		stopServing()
		answers.Wait()
		stopWorking()
		work.Wait()
	}()
	_, file, err := s.PrepareSandbox(ctx, baseURL(listener.Addr()))
	if err != nil {
		return err
	}
	heard, err := listenForWebhooks(ctx)
	if err != nil {
		return err
	}
	defer heard.close()
	if err := s.PrepareEndpoints(ctx, map[payment.Door]string{
		"smartglocal": heard.url + "/smartglocal", "pike": heard.url + "/pike", "api": heard.url + "/api",
	}); err != nil {
		return err
	}
	telling, cancel := context.WithTimeout(ctx, storyPatience)
	defer cancel()
	story := newStory(telling, t, s, file, heard)
	if err := story.tell(); err != nil {
		return err
	}
	if !c.Keep {
		return nil
	}
	story.tryNext(folder)
	<-ctx.Done()
	return nil
}
