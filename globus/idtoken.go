package globus

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	// leeway is how far the clocks of this machine and of Globus may be apart, as in
	// Globus's own SDK.
	leeway = 5 * time.Minute

	maxIDToken = 64 << 10 // bytes; it grows with the linked identities
)

// idClaims are the identity in an ID token, and the claims that go-oidc does not check,
// or not strictly enough.
type idClaims struct {
	Identity        Identity     `json:"-"`
	Nonce           string       `json:"nonce"`
	AuthorizedParty *string      `json:"azp"`
	Expiry          *numericDate `json:"exp"`
	IssuedAt        *numericDate `json:"iat"`
}

// verifyIDToken checks the ID token of a sign-in and returns its claims.
func (c *Client) verifyIDToken(ctx context.Context, raw, accessToken, nonce string) (*idClaims, error) {
	claims, err := c.readIDToken(ctx, raw, accessToken)
	if err != nil {
		return nil, err
	}
	if nonce == "" || subtle.ConstantTimeCompare([]byte(claims.Nonce), []byte(nonce)) != 1 {
		return nil, idTokenError("nonce is missing or belongs to another attempt")
	}
	return claims, nil
}

// readIDToken checks an ID token as OpenID Connect Core 1.0, section
// 3.1.3.7, says, except for the nonce, which an ID token of a refresh does not have.
// go-oidc checks the form, the algorithm, the signature, the issuer and the audience;
// this package checks the rest.
func (c *Client) readIDToken(ctx context.Context, raw, accessToken string) (*idClaims, error) {
	if len(raw) > maxIDToken {
		return nil, idTokenError("it is too large")
	}
	keys := &keyring{keys: &c.keys}
	token, err := oidc.NewVerifier(c.issuer, keys, &oidc.Config{
		ClientID:             c.oauth.ClientID,
		SupportedSigningAlgs: []string{oidc.RS512},
		SkipExpiryCheck:      true, // it allows no leeway; claimsFault does
	}).Verify(ctx, raw)
	if keys.err != nil {
		return nil, keys.err
	}
	if err != nil {
		// The text of err quotes claims.
		return nil, idTokenError(faultHeader)
	}
	var claims idClaims
	if err := token.Claims(&claims); err != nil {
		return nil, idTokenError("a claim has the wrong type")
	}
	if err := token.Claims(&claims.Identity); err != nil || claims.Identity.Subject == "" {
		return nil, idTokenError(errSubject.Error())
	}
	if fault := c.claimsFault(token, claims); fault != "" {
		return nil, idTokenError(fault)
	}
	// at_hash is optional in the code flow (section 3.1.3.6).
	if token.AccessTokenHash != "" && token.VerifyAccessToken(accessToken) != nil {
		return nil, idTokenError("at_hash belongs to another access token")
	}
	return &claims, nil
}

// claimsFault returns what is wrong with the claims, or "".
func (c *Client) claimsFault(token *oidc.IDToken, claims idClaims) string {
	now := c.now()
	switch {
	case !slices.Equal(token.Audience, []string{c.oauth.ClientID}):
		return "aud names others beside this app"
	case claims.AuthorizedParty != nil && *claims.AuthorizedParty != c.oauth.ClientID:
		return "azp is another app"
	case claims.Expiry == nil || claims.IssuedAt == nil:
		return "exp or iat is missing"
	}
	// This check is before that of exp, because its fault says how far the clocks are apart.
	if skew := claims.IssuedAt.Sub(now); skew.Abs() > leeway {
		return fmt.Sprintf("it was issued %s from now by this machine's clock%s", skew.Round(time.Second), clockHint)
	}
	if now.After(claims.Expiry.Add(leeway)) {
		return "it has expired"
	}
	return ""
}

// The faults of an ID token that an operator can repair, see Remedy.
const (
	faultHeader    = "its form, algorithm, issuer or audience is wrong"
	faultSignature = "its signature fits none of Globus's keys"
)

const clockHint = " (is this machine's clock right?)"

func idTokenError(fault string) *Error {
	return &Error{Call: "token", Reason: BadIDToken, Detail: fault}
}

// A numericDate is a time as JSON Web Tokens write it: seconds since 1970, a
// fraction allowed (RFC 7519, section 2).
type numericDate struct{ time.Time }

func (d *numericDate) UnmarshalJSON(b []byte) error {
	var seconds float64
	if err := json.Unmarshal(b, &seconds); err != nil {
		return err
	}
	// Beyond the year 9999 the conversion below would overflow.
	if math.IsNaN(seconds) || seconds < 0 || seconds > 253402300799 {
		return errors.New("a date is out of range")
	}
	d.Time = time.Unix(int64(seconds), 0)
	return nil
}
