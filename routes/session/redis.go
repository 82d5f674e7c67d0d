package session

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const redisPrefix = "portal:" // of the keys

// A redisDriver stores records in Redis or Valkey, for any number of instances. The
// Redis store of scs finds and inserts; it can neither swap nor take.
type redisDriver struct {
	*serverName
	scs    *goredisstore.RedisStore
	client *redis.Client
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

// silenceRedis turns off the log of go-redis, which would have lines for each request
// while the server is down. The observedDriver logs that once.
var silenceRedis = sync.OnceFunc(func() { redis.SetLogger(&logging.VoidLogger{}) })

// openRedis connects to the server of a URL, and checks that it can do all that the
// driver needs.
func openRedis(ctx context.Context, store string, server *serverName) (driver, error) {
	opt, err := redis.ParseURL(store)
	if err != nil {
		return nil, errors.New("the URL of Redis cannot be read")
	}
	silenceRedis()
	dialer := &net.Dialer{Timeout: maxCall / 2}
	opt.Dialer = dialer.DialContext
	if opt.TLSConfig != nil {
		opt.Dialer = (&tls.Dialer{NetDialer: dialer, Config: opt.TLSConfig}).DialContext
	}
	opt.ContextTimeoutEnabled = true // so that maxCall limits each call
	opt.DialerRetries = 1            // report at once that a server is down
	opt.MaxRetries = 2               // for idle connections that the server has closed
	opt.MaxRetryBackoff = 50 * time.Millisecond
	opt.DisableIdentity = true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

	client := redis.NewClient(opt)
	d := &redisDriver{serverName: server, scs: goredisstore.NewWithPrefix(client, redisPrefix), client: client}
	if err := d.checkCommands(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("redis at %s: %w", opt.Addr, err), client.Close())
	}
	return d, nil
}

func (d *redisDriver) Close() error {
	if err := d.client.Close(); !errors.Is(err, redis.ErrClosed) {
		return err
	}
	return nil
}

func (d *redisDriver) Find(ctx context.Context, key string) ([]byte, bool, error) {
	return d.scs.FindCtx(ctx, key)
}

// Insert stores no expired record, because Redis would keep it forever.
func (d *redisDriver) Insert(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if !time.Now().Before(expiry) {
		return nil
	}
	return d.scs.CommitCtx(ctx, key, data, expiry.Add(gracePeriod))
}

func (d *redisDriver) Swap(ctx context.Context, key string, old, data []byte) (bool, error) {
	return d.client.Eval(ctx, swapScript, []string{redisPrefix + key}, old, data).Bool()
}

// A noRetryCmd is a command that go-redis does not send again if its answer is lost.
type noRetryCmd struct{ *redis.StringCmd }

func (noRetryCmd) NoRetry() bool { return true }

// Take does not retry, because a second GETDEL would return nothing.
func (d *redisDriver) Take(ctx context.Context, key string) ([]byte, error) {
	cmd := redis.NewStringCmd(ctx, "getdel", redisPrefix+key)
	_ = d.client.Process(ctx, noRetryCmd{cmd})
	data, err := cmd.Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return data, err
}
