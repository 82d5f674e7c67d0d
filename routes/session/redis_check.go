package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/portal/globus"
)

// try asks for everything that a driver is asked for, but for an insert, on a
// key that is not there.
func (d *redisDriver) try(ctx context.Context) error {
	const key = "readiness"
	_, _, err := d.FindCtx(ctx, key)
	if err == nil {
		_, err = d.SwapCtx(ctx, key, []byte("nothing"), []byte("nothing"))
	}
	if err == nil {
		_, err = d.TakeCtx(ctx, key)
	}
	return explained(err)
}

// explained says what an error means that a server answers with, if it can.
func explained(err error) error {
	if err == nil {
		return nil
	}
	for _, meaning := range []struct{ prefix, text string }{
		{"NOAUTH", "it wants a password"},
		{"WRONGPASS", "it refuses the user or the password"},
		{"unknown command", "it is too old: Redis 6.2 or later is needed, or Valkey"},
		{"NOPERM", "the user may not do what is needed: " + redisCommands},
		{"READONLY", "it is a replica, which only reads: name the primary"},
		{"MOVED", "it is one of a cluster: name a single server, or a proxy before the cluster"},
		{"LOADING", "it is still reading its data: try again in a moment"},
	} {
		if redis.HasErrorPrefix(err, meaning.prefix) {
			return fmt.Errorf("%s (%w)", meaning.text, err)
		}
	}
	switch _, isNet := errors.AsType[*net.OpError](err); {
	case errors.Is(err, io.EOF), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("it does not answer; does it listen there, with TLS for rediss://, without for redis://? (%w)", err)
	case isNet:
		return fmt.Errorf("it does not answer (%w)", err)
	}
	return err
}

// redisCommands are what a user of an access control list must be allowed.
const redisCommands = "+get +set +getdel +eval +evalsha +info +@connection ~" + redisPrefix + "*"

// A Doubt is what speaks against a store that does what it is asked.
type Doubt struct{ Found, Remedy string }

func (d *redisDriver) doubts(ctx context.Context) []Doubt {
	return append(d.networkDoubts(), d.setupDoubts(ctx)...)
}

// networkDoubts returns those about a server that others may reach, too.
func (d *redisDriver) networkDoubts() []Doubt {
	opt := d.client.Options()
	host, _, _ := net.SplitHostPort(opt.Addr)
	switch {
	case globus.IsLoopback(host):
		return nil
	case opt.Password == "":
		return []Doubt{{
			"Redis wants no password: whoever reaches it can end every session, and bring back what has ended",
			"Give it a user with a password, who may " + redisCommands + ".",
		}}
	case opt.TLSConfig == nil:
		return []Doubt{{
			"the password of Redis crosses the network as it is",
			"Have Redis speak TLS, and write rediss://. The sessions are sealed in any case.",
		}}
	}
	return nil
}

// setupDoubts returns those about how the server is set up, none if it may not
// be asked.
func (d *redisDriver) setupDoubts(ctx context.Context) (all []Doubt) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	text, err := d.client.Info(ctx).Result()
	if err != nil {
		return nil
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		info[name] = value
	}
	if info["aof_enabled"] == "0" {
		all = append(all, Doubt{
			"Redis keeps no append-only file: when it restarts, sessions are lost, and some that have ended are back",
			"appendonly yes, in its configuration.",
		})
	}
	if policy := info["maxmemory_policy"]; info["maxmemory"] != "0" && policy != "noeviction" {
		all = append(all, Doubt{
			"Redis deletes sessions when its memory is full: " + policy,
			"maxmemory-policy noeviction, in its configuration.",
		})
	}
	return all
}
