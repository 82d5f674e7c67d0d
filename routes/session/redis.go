package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

const redisPrefix = "portal:" // of the keys

// A redisDriver stores records in Redis or Valkey, for any number of instances: in a
// single server, in one that Sentinel names, or in a cluster.
type redisDriver struct {
	*serverName
	*redisURL
	clients *renewable[redis.UniversalClient]
}

// swapScript replaces a value if it still is the old one, and leaves its expiry as it
// is. If it is the new one already, go-redis has sent the command again because the
// answer was lost. The script is sent in full each time: go-redis would call it by its
// SHA-1, which is not available where only FIPS 140 algorithms are allowed.
const swapScript = `
local now = redis.call('GET', KEYS[1])
if now == ARGV[2] then return 1 end
if now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`

// takeScript deletes a value. If there is none, it writes all the same, so that WAIT has
// something to wait for: an earlier call may have deleted it, and not have heard that
// the replicas have that too.
const takeScript = `
local now = redis.call('GETDEL', KEYS[1])
if not now then
	redis.call('SET', KEYS[1], '', 'PX', 1000)
	redis.call('GETDEL', KEYS[1])
end
return now`

// silenceRedis turns off the log of go-redis, which would have lines for each request
// while the server is down. The observedDriver logs that once.
var silenceRedis = sync.OnceFunc(func() { redis.SetLogger(&logging.VoidLogger{}) })

// openRedis connects to the server of a URL, and checks that it can do all that the
// driver needs.
func openRedis(ctx context.Context, store string, server *serverName) (driver, error) {
	u, err := parseRedis(store)
	if err != nil {
		return nil, fmt.Errorf("its setting %w", err)
	}
	silenceRedis()
	d := &redisDriver{serverName: server, redisURL: u}
	d.connect()
	err = d.checkCommands(ctx)
	if !u.cluster && u.universal.MasterName == "" && d.isCluster(ctx, err) {
		d.clients.end()
		u.cluster = true
		d.connect()
		err = d.checkCommands(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("redis at %s: %w", strings.Join(u.addrs, ", "), err), d.Close())
	}
	if u.cluster {
		d.set("a cluster at " + strings.Join(u.addrs, ", "))
	}
	return d, nil
}

func (d *redisDriver) connect() {
	var onConnect func(context.Context, *redis.Conn) error
	if !d.cluster { // that has many servers
		onConnect = func(ctx context.Context, conn *redis.Conn) error {
			if info, err := conn.ClientInfo(ctx).Result(); err == nil {
				d.set(info.LAddr) // as the server calls itself
			}
			return nil
		}
	}
	d.clients = newRenewable(
		func() redis.UniversalClient { return d.open(onConnect) },
		func(c redis.UniversalClient) { _ = c.Close() },
	)
}

// isCluster reports whether the server is a node of a cluster. err is what it says to the
// usual commands.
func (d *redisDriver) isCluster(ctx context.Context, err error) bool {
	if redis.HasErrorPrefix(err, "MOVED") {
		return true
	}
	info, err := d.clients.get().Info(ctx, "cluster").Result()
	return err == nil && strings.Contains(info, "cluster_enabled:1")
}

// Close closes all connections.
func (d *redisDriver) Close() error {
	d.clients.end()
	return nil
}

// Find reads by GETEX, which changes nothing, but counts as a write: a replica refuses
// it, and so does a primary that has lost the replicas of min-replicas-to-write. Both may
// be behind.
func (d *redisDriver) Find(ctx context.Context, key string) (data []byte, found bool, err error) {
	err = d.call(ctx, func(client redis.UniversalClient) error {
		data, err = client.GetEx(ctx, redisPrefix+key, -1).Bytes()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// Insert stores no expired record, because Redis would keep it forever.
func (d *redisDriver) Insert(ctx context.Context, key string, data []byte, expiry time.Time) error {
	left := time.Until(expiry)
	if left <= 0 {
		return nil
	}
	milliseconds := (left + gracePeriod).Milliseconds()
	return d.write(ctx, key, redis.NewStatusCmd(ctx, "set", redisPrefix+key, data, "px", milliseconds))
}

func (d *redisDriver) Swap(ctx context.Context, key string, old, data []byte) (bool, error) {
	cmd := redis.NewCmd(ctx, "eval", swapScript, 1, redisPrefix+key, old, data)
	err := d.write(ctx, key, cmd)
	if err != nil {
		return false, err
	}
	return cmd.Bool()
}

// A noRetryCmd is a command that go-redis does not send again if its answer is lost.
type noRetryCmd struct{ *redis.StringCmd }

func (noRetryCmd) NoRetry() bool { return true }

// Take does not retry, because a second GETDEL would return nothing.
func (d *redisDriver) Take(ctx context.Context, key string) ([]byte, error) {
	cmd := redis.NewStringCmd(ctx, "getdel", redisPrefix+key)
	if d.wait > 0 {
		cmd = redis.NewStringCmd(ctx, "eval", takeScript, 1, redisPrefix+key)
	}
	if err := d.write(ctx, key, noRetryCmd{cmd}); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	data, err := cmd.Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return data, err
}
