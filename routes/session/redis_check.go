package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.org/portal/globus"
)

// checkCommands calls all methods of the driver except Insert, for a key that does
// not exist.
func (d *redisDriver) checkCommands(ctx context.Context) error {
	const key = "readiness"
	_, _, err := d.Find(ctx, key)
	if err == nil {
		_, err = d.Swap(ctx, key, []byte("nothing"), []byte("nothing"))
	}
	if err == nil {
		_, err = d.Take(ctx, key)
	}
	return explain(err)
}

// explain adds to an error of the server what it means for the operator.
func explain(err error) error {
	if err == nil {
		return nil
	}
	for _, meaning := range []struct{ prefix, text string }{
		{"NOAUTH", "it requires a password"},
		{"WRONGPASS", "it refuses the user or the password"},
		{"unknown command", "it is too old: Redis 6.2 or later is needed, or Valkey"},
		{"NOPERM", "the user needs more rights: " + redisCommands},
		{"READONLY", "it is a replica, which cannot be written: name the primary"},
		{"NOREPLICAS", "it has fewer replicas than its min-replicas-to-write"},
		{"CLUSTERDOWN", "the cluster is not complete"},
		{"LOADING", "it is still loading its data: try again in a moment"},
	} {
		if redis.HasErrorPrefix(err, meaning.prefix) {
			return fmt.Errorf("%s (%w)", meaning.text, err)
		}
	}
	switch _, isNet := errors.AsType[*net.OpError](err); {
	case errors.Is(err, io.EOF), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("it does not answer; rediss:// needs a server with TLS, redis:// one without (%w)", err)
	case isNet:
		return fmt.Errorf("it does not answer (%w)", err)
	}
	return err
}

// redisCommands are the rights that the user needs in an access control list of Redis.
const redisCommands = "+get +getex +set +getdel +eval +wait +info +cluster|slots +@connection ~" + redisPrefix + "*"

func (d *redisDriver) doubts(ctx context.Context) []Doubt {
	return append(d.networkDoubts(), d.setupDoubts(ctx)...)
}

// networkDoubts returns doubts about servers that are reached over the network.
func (d *redisDriver) networkDoubts() []Doubt {
	if !slices.ContainsFunc(d.addrs, func(addr string) bool {
		host, _, _ := net.SplitHostPort(addr)
		return !globus.IsLoopback(host)
	}) {
		return nil
	}
	switch opt := d.universal; {
	case opt.Password == "":
		return []Doubt{{
			"Redis requires no password: anybody who reaches it can end every session, and restore ended ones",
			"Create a user with a password and the rights " + redisCommands + ".",
		}}
	case opt.TLSConfig == nil:
		return []Doubt{{
			"the password of Redis crosses the network unencrypted",
			"Turn on TLS in Redis, and write rediss://. The sessions are sealed in any case.",
		}}
	}
	return nil
}

// setupDoubts returns doubts about the server's configuration, none if INFO is not
// allowed.
func (d *redisDriver) setupDoubts(ctx context.Context) (all []Doubt) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	text, err := d.clients.get().Info(ctx).Result()
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
			"Redis keeps no append-only file: after a restart, sessions are lost, and some ended ones are back",
			"Set \"appendonly yes\" in its configuration.",
		})
	}
	if policy := info["maxmemory_policy"]; info["maxmemory"] != "0" && policy != "noeviction" {
		all = append(all, Doubt{
			"Redis deletes sessions when its memory is full: " + policy,
			"Set \"maxmemory-policy noeviction\" in its configuration.",
		})
	}
	switch replicas, _ := strconv.Atoi(info["connected_slaves"]); {
	case d.wait > replicas && info["role"] == "master":
		all = append(all, Doubt{
			fmt.Sprintf("Redis has %d replicas, fewer than wait=%d: nobody can sign in", replicas, d.wait),
			"Start the replicas, or lower wait in SESSION_STORE.",
		})
	case d.wait == 0 && replicas > 0:
		all = append(all, Doubt{
			"Redis does not wait for its replicas: if it fails, the last sign-ins are lost, and the last sign-outs are undone",
			"Add wait=1 to SESSION_STORE, or keep sessions in PostgreSQL with a synchronous standby.",
		})
	case replicas > 0 && info["min_slaves_good_slaves"] == "":
		all = append(all, Doubt{
			"a primary of Redis that is cut off from its replicas continues to answer: its sessions are out of date, and ended ones still work",
			"Set \"min-replicas-to-write 1\" in its configuration.",
		})
	}
	return all
}
