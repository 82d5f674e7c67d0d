package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// call calls f with a client. If a single server refuses because it is a replica now, or
// does not answer in time, its name may lead to another already: all connections are
// dropped then, and f is called again if nothing was done.
func (d *redisDriver) call(ctx context.Context, f func(redis.UniversalClient) error) error {
	client := d.clients.get()
	err := f(client)
	if err == nil || errors.Is(err, redis.Nil) || d.cluster || d.universal.MasterName != "" || cancelled(ctx) {
		return err
	}
	if replica := isReplica(err); replica || ctx.Err() != nil {
		d.clients.renew(client)
		if replica && ctx.Err() == nil {
			return f(d.clients.get())
		}
	}
	return err
}

// isReplica reports whether a server has refused to write because it is a replica. Before
// version 7, an error of a script has that in its midst.
func isReplica(err error) bool {
	return redis.IsReadOnlyError(err) || redis.HasErrorPrefix(err, "Error running script") && strings.Contains(err.Error(), "-READONLY")
}

// write runs a command that writes the record of a key, and waits for replicas if the URL
// says so.
func (d *redisDriver) write(ctx context.Context, key string, cmd redis.Cmder) error {
	return d.call(ctx, func(client redis.UniversalClient) error {
		if d.wait == 0 {
			return client.Process(ctx, cmd)
		}
		return d.writeAndWait(ctx, client, key, cmd)
	})
}

// writeAndWait sends the command and WAIT over one connection, because WAIT is about the
// writes of its connection.
func (d *redisDriver) writeAndWait(ctx context.Context, client redis.UniversalClient, key string, cmd redis.Cmder) error {
	cluster, isCluster := client.(*redis.ClusterClient)
	for first := true; ; first = false {
		var node redis.UniversalClient = client
		if isCluster {
			var err error
			if node, err = cluster.MasterForKey(ctx, redisPrefix+key); err != nil {
				cluster.ReloadState(ctx)
				return err
			}
		}
		pipe := node.Pipeline()
		_ = pipe.Process(ctx, cmd)
		replicas := redis.NewIntCmd(ctx, "wait", d.wait, (maxCall / 2).Milliseconds())
		_ = pipe.Process(ctx, replicas)
		_, err := pipe.Exec(ctx)
		if isCluster && err != nil && !errors.Is(err, redis.Nil) {
			cluster.ReloadState(ctx)
			if _, moved := redis.IsMovedError(err); moved && first {
				continue
			}
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if n, err := replicas.Result(); err != nil || int(n) < d.wait {
			return errors.Join(fmt.Errorf("%d replicas have what was written, and wait=%d", n, d.wait), err)
		}
		return cmd.Err()
	}
}
