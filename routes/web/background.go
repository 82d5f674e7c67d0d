package web

import (
	"context"
	"sync"
	"time"
)

// maxStop is how long work in the background may go on after it was told to end.
const maxStop = 3 * time.Second

// background is the work that belongs to no request.
type background struct {
	ctx  context.Context // ends when the app stops
	stop context.CancelFunc
	work sync.WaitGroup
}

// Go runs work beside the requests, such as a check every hour. name is for the log,
// which has the error or the panic that work ends with. ctx ends when the app stops:
// work then has 3 s to return.
//
// work must not use a person's token, which ends when they sign out. Work that has to
// go on without them should be a transfer, a timer or a flow, which Globus carries out
// by itself, or use the app's own identity.
func (s *Server) Go(name string, work func(ctx context.Context) error) {
	s.background.work.Go(func() {
		err := s.Guard(s.background.ctx, func() error { return work(s.background.ctx) })
		if err != nil && s.background.ctx.Err() == nil {
			s.Log.Error("background work failed", "name", name, "reason", err)
		}
	})
}

// Stop tells the work in the background to end, and waits until it has.
func (s *Server) Stop() {
	s.background.stop()
	ended := make(chan struct{})
	go func() {
		s.background.work.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(maxStop):
		s.Log.Warn("background work cut off")
	}
}
