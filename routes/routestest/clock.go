package routestest

import (
	"sync/atomic"
	"time"
)

// A Clock shows the time of this machine until Pass moves it. The zero value is
// ready to use; its Now is for Options.Now.
type Clock struct{ Ahead atomic.Int64 }

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.Ahead.Load())) }

// Pass moves the clock on by d, or back if d is negative.
func (c *Clock) Pass(d time.Duration) { c.Ahead.Add(int64(d)) }

// PassTokens moves the clock on to 30 s before the end of fresh tokens, when
// they are due to be refreshed.
func (c *Clock) PassTokens() { c.Pass(48*time.Hour - 30*time.Second) }
