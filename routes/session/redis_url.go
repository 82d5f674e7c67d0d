package session

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

var databasePath = regexp.MustCompile(`^(/[0-9]{0,6})?$`)

// A redisURL is what a URL says. A single server, Sentinel and Cluster have the URLs that
// go-redis defines: with master_name it is Sentinel, with addr alone a cluster.
type redisURL struct {
	universal redis.UniversalOptions
	addrs     []string // of servers; of sentinels, if there is a MasterName
	cluster   bool
	wait      int // replicas that a write waits for
}

// parseRedis reads a URL. The error does not quote it.
func parseRedis(store string) (*redisURL, error) {
	u, err := url.Parse(store)
	switch {
	case err != nil:
		return nil, errors.New("cannot be read as a URL, such as redis://user:password@host:6379/0; in the password, %40 stands for @, %2F for /, %23 for #")
	case u.Hostname() == "":
		return nil, errors.New("must name a host, as in redis://host:6379")
	case !databasePath.MatchString(u.Path):
		return nil, errors.New("must end with the number of a database, as in redis://host:6379/0, or with the port")
	case u.ForceQuery || u.Fragment != "":
		return nil, errors.New("must end after the number of the database, or with options; in a password, %3F stands for ?, and %23 for #")
	}
	r := &redisURL{}
	query := u.Query()
	if query.Has("skip_verify") {
		return nil, errors.New("must not have skip_verify: name the certificate of the authority in SSL_CERT_FILE")
	}
	if text := query.Get("wait"); text != "" {
		if r.wait, err = strconv.Atoi(text); err != nil || r.wait < 0 {
			return nil, errors.New("must have a number of replicas in wait, as in wait=1")
		}
	}
	query.Del("wait")
	u.RawQuery = query.Encode()
	switch {
	case query.Has("master_name"):
		var opt *redis.FailoverOptions
		if opt, err = redis.ParseFailoverURL(u.String()); err == nil {
			r.addrs = opt.SentinelAddrs
			r.universal = redis.UniversalOptions{
				MasterName: opt.MasterName, DB: opt.DB, Username: opt.Username, Password: opt.Password,
				SentinelUsername: opt.SentinelUsername, SentinelPassword: opt.SentinelPassword, TLSConfig: opt.TLSConfig, PoolSize: opt.PoolSize,
			}
		}
	case query.Has("addr"):
		var opt *redis.ClusterOptions
		if opt, err = redis.ParseClusterURL(u.String()); err == nil {
			r.addrs, r.cluster = opt.Addrs, true
			r.universal = redis.UniversalOptions{Username: opt.Username, Password: opt.Password, TLSConfig: opt.TLSConfig, PoolSize: opt.PoolSize}
		}
	default:
		var opt *redis.Options
		if opt, err = redis.ParseURL(u.String()); err == nil {
			r.addrs = []string{opt.Addr}
			r.universal = redis.UniversalOptions{DB: opt.DB, Username: opt.Username, Password: opt.Password, TLSConfig: opt.TLSConfig, PoolSize: opt.PoolSize}
		}
	}
	if err != nil {
		return nil, errors.New("has an option that is not known; deploy/README.md explains wait, addr, master_name, username and password")
	}
	return r, nil
}

// open returns a client, which connects later.
func (r *redisURL) open(onConnect func(context.Context, *redis.Conn) error) redis.UniversalClient {
	opt := r.universal
	opt.Addrs, opt.IsClusterMode = r.addrs, r.cluster
	dialer := &net.Dialer{Timeout: maxCall / 2}
	opt.Dialer = dialer.DialContext
	if opt.TLSConfig != nil {
		config := opt.TLSConfig.Clone()
		config.ServerName = "" // that of each address
		opt.Dialer = (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext
	}
	opt.OnConnect = onConnect
	opt.ContextTimeoutEnabled = true // so that maxCall limits each call
	opt.DialerRetries = 1            // report at once that a server is down
	opt.MaxRetries = 2               // for idle connections that the server has closed
	opt.MaxRetryBackoff = 50 * time.Millisecond
	opt.DisableIdentity = true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewUniversalClient(&opt)
}

// redisName returns the URL without passwords.
func redisName(store string) string {
	u, err := url.Parse(store)
	if err != nil {
		return err.Error()
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(name, "password") {
			query.Set(name, "xxxxx")
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}
