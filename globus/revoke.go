package globus

import (
	"context"
	"errors"
	"net/url"
	"sync"
)

// Revoke revokes an access or refresh token (RFC 7009). A token that has expired, or
// never existed, is no error. Only the status of the response counts (section 2.2). The
// error is an *Error.
func (c *Client) Revoke(ctx context.Context, token string) error {
	return c.post(ctx, "revoke", revokePath, url.Values{"token": {token}}, nil)
}

// RevokeAll revokes every access and refresh token of every resource server, all at
// once, because Globus does not promise that revoking one revokes another. The error
// joins those of all that failed, each an *Error.
func (c *Client) RevokeAll(ctx context.Context, tokens Tokens) error {
	return c.revokeEach(ctx, tokens.secrets())
}

// revokeEach revokes all of secrets but the empty ones.
func (c *Client) revokeEach(ctx context.Context, secrets []string) error {
	errs := make([]error, len(secrets))
	var wg sync.WaitGroup
	for i, secret := range secrets {
		if secret != "" {
			wg.Go(func() { errs[i] = guarded(func() error { return c.Revoke(ctx, secret) }) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}
