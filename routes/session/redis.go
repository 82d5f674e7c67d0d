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

// A redisDriver keeps records in Redis or Valkey, where any number of instances
// find them. scs's store does what it can: it reads, and inserts.
type redisDriver struct {
	*goredisstore.RedisStore
	client *redis.Client
}

// swapScript replaces a value where it is still what the caller saw, and leaves
// its end as it is. If the new one is there already, an answer got lost and the
// question came twice. It is sent whole each time: by its SHA-1, as go-redis would
// have it, it could not be called where only FIPS 140 algorithms are allowed.
const swapScript = `
local now = redis.call('GET', KEYS[1])
if now == ARGV[2] then return 1 end
if now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`

// quietRedis silences go-redis, which would write lines of its own for each
// request while the server is down. Our log says so once.
var quietRedis = sync.OnceFunc(func() { redis.SetLogger(&logging.VoidLogger{}) })

// openRedis connects to the server that a URL names, and tries on a key that is
// not there what will be asked of it.
func openRedis(ctx context.Context, store string) (driver, error) {
	opt, err := redis.ParseURL(store)
	if err != nil {
		return nil, errors.New("the URL of Redis cannot be read")
	}
	quietRedis()
	dialer := &net.Dialer{Timeout: maxCall / 2}
	opt.Dialer = dialer.DialContext
	if opt.TLSConfig != nil {
		opt.Dialer = (&tls.Dialer{NetDialer: dialer, Config: opt.TLSConfig}).DialContext
	}
	opt.ContextTimeoutEnabled = true // each call has maxCall, all in all
	opt.DialerRetries = 1            // a server that is down is known at once
	opt.MaxRetries = 2               // for connections that ended while nobody looked
	opt.MaxRetryBackoff = 50 * time.Millisecond
	opt.DisableIdentity = true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

	client := redis.NewClient(opt)
	d := &redisDriver{goredisstore.NewWithPrefix(client, redisPrefix), client}
	if err := d.try(ctx); err != nil {
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

// CommitCtx stores nothing that has expired, for Redis would keep it for ever.
func (d *redisDriver) CommitCtx(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if !time.Now().Before(expiry) {
		return nil
	}
	return d.RedisStore.CommitCtx(ctx, key, data, expiry.Add(keptAfter))
}

func (d *redisDriver) SwapCtx(ctx context.Context, key string, old, data []byte) (bool, error) {
	return d.client.Eval(ctx, swapScript, []string{redisPrefix + key}, old, data).Bool()
}

// A once is a command that is not sent again when its answer is lost.
type once struct{ *redis.StringCmd }

func (once) NoRetry() bool { return true }

// TakeCtx asks once: a second time there would be nothing to return.
func (d *redisDriver) TakeCtx(ctx context.Context, key string) ([]byte, error) {
	cmd := redis.NewStringCmd(ctx, "getdel", redisPrefix+key)
	_ = d.client.Process(ctx, once{cmd})
	data, err := cmd.Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return data, err
}
