package session

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A call that hangs holds up nobody for longer than their own time, and no more
// calls than there are connections are begun.
func TestRunCallHangs(t *testing.T) {
	t.Parallel()
	two, begun, release := startWorkers(2, nil), make(chan struct{}, 10), make(chan struct{})
	defer two.end()
	hang := func(within) (int, error) {
		begun <- struct{}{}
		<-release
		return 1, nil
	}
	try := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 3*lockWait)
		defer cancel()
		_, err := runCall(ctx, two, hang)
		return err
	}
	begin := time.Now()
	for range 4 {
		if err := try(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("it took %s", took)
	}
	if got := len(begun); got != two.size {
		t.Errorf("%d were begun, want %d", got, two.size)
	}
	close(release)
	if err := try(); err != nil {
		t.Errorf("it did not recover: %v", err)
	}
}

// Nothing is begun for who has no time to wait for a lock.
func TestRunCallTooLate(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), lockWait)
	defer cancel()
	one := startWorkers(1, nil)
	defer one.end()
	_, err := runCall(ctx, one, func(within) (int, error) {
		t.Error("it was begun")
		return 0, nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}
