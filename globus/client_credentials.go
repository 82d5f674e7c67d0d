package globus

import (
	"context"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// ClientCredentials obtains tokens with which the app acts as itself, not as a person
// (RFC 6749, section 4.4). Its identity is ClientID@clients.auth.globus.org: share a
// collection with it before the app uses the collection. It cannot satisfy policies that
// require a domain or a session. There are no refresh tokens: see ClientSource. The error
// is an *Error.
func (c *Client) ClientCredentials(ctx context.Context, scopes ...string) (Tokens, error) {
	cfg := clientcredentials.Config{
		ClientID: c.oauth.ClientID, ClientSecret: c.oauth.ClientSecret, TokenURL: c.oauth.Endpoint.TokenURL,
		Scopes: scopes, AuthStyle: c.oauth.Endpoint.AuthStyle,
	}
	answer, err := cfg.Token(context.WithValue(ctx, oauth2.HTTPClient, c.http))
	if err != nil {
		return nil, callError("client_credentials", err)
	}
	tokens, err := newTokens(answer, "", c.now(), time.Time{})
	if err != nil {
		return nil, &Error{Call: "client_credentials", Reason: Malformed, Detail: err.Error()}
	}
	return tokens, nil
}

// ClientSource returns a Source of tokens for one resource server with which the app
// acts as itself. It obtains the first token when a call needs it. Its Fresh returns the
// errors of ClientCredentials, and ErrNoToken if no scope belongs to the server.
func (c *Client) ClientSource(server string, scopes ...string) *Source {
	return &Source{client: c, renew: func(ctx context.Context, _ Token) (Token, error) {
		tokens, err := c.ClientCredentials(ctx, scopes...)
		if err != nil {
			return Token{}, err
		}
		token, ok := tokens[server]
		if !ok {
			return Token{}, ErrNoToken
		}
		return token, nil
	}}
}
