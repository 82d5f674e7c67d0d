package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// calls is what Globus was asked.
type calls struct{ token, keys, userinfo int }

// A scene is what happens in a module, from a browser's first request to the page
// that is seen in the end.
type scene func(conversation) routestest.Page

// A conversation is a browser at an app of its own.
type conversation struct {
	*routestest.Browser
	clock *routestest.Clock // the app's
	asked calls             // of Globus before it began
	live  int               // tokens by then
}

func converse(t *testing.T, auth *globustest.Server) conversation {
	c := conversation{clock: new(routestest.Clock)}
	c.Browser = routestest.StartWithProbes(t, routestest.Options{Globus: auth, Now: c.clock.Now}).Browser()
	c.asked, c.live = c.calls(), auth.LiveTokens()
	return c
}

// calls counts what Globus was asked since.
func (c conversation) calls() calls {
	asked := c.Site.Globus.Requests
	return calls{
		token:    asked(globustest.TokenPath) - c.asked.token,
		keys:     asked(globustest.KeysPath) - c.asked.keys,
		userinfo: asked(globustest.UserInfoPath) - c.asked.userinfo,
	}
}

// left counts the tokens that came of it and are live.
func (c conversation) left() int { return c.Site.Globus.LiveTokens() - c.live }

var loggedReason = regexp.MustCompile(`"reason":"([^"]*)"`)

// reasons lists why anything went wrong, as the log has it.
func (c conversation) reasons() string {
	var all []string
	for _, m := range loggedReason.FindAllStringSubmatch(c.Site.Log.String(), -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, "\n")
}

// finish visits a callback, and goes where that leads.
func (c conversation) finish(callback string) routestest.Page {
	c.T.Helper()
	return c.Follow(c.Get(callback))
}

// signsIn is a sign-in in which Globus lies once the person has chosen.
func signsIn(lie globustest.Lie) scene {
	return func(c conversation) routestest.Page {
		callback := c.Callback("rosalind")
		c.Site.Globus.Lie(lie)
		return c.finish(callback)
	}
}

// startedBy begins at a link that somebody else made.
func startedBy(query string) scene {
	return func(c conversation) routestest.Page {
		back := c.Choose(c.Follow(c.Get("/login?"+query)), "rosalind")
		return c.finish(back.Header.Get("Location"))
	}
}

// callbackWith changes one parameter of the callback; "" leaves it out.
func callbackWith(name, value string) scene {
	return func(c conversation) routestest.Page {
		u, err := url.Parse(c.Callback("rosalind"))
		if err != nil {
			c.T.Fatal(err)
		}
		q := u.Query()
		q.Del(name)
		if value != "" {
			q.Set(name, value)
		}
		u.RawQuery = q.Encode()
		return c.finish(u.String())
	}
}

// claimFrom sends the person's age elsewhere to be had (OpenID Connect Core 1.0,
// section 5.6.2).
func claimFrom(source map[string]string) scene {
	edit := globustest.Edit{Set: map[string]any{
		"_claim_names":   map[string]string{"age": "src"},
		"_claim_sources": map[string]any{"src": source},
	}}
	return signsIn(globustest.Lie{Claims: edit, UserInfo: edit})
}

// rotated has Globus change its key when the person comes back.
func rotated(c conversation) routestest.Page {
	callback := c.Callback("rosalind")
	c.Site.Globus.RotateKey()
	return c.finish(callback)
}

// rotatedBetween has it change its key between two sign-ins, so far apart that
// the keys are fetched again.
func rotatedBetween(c conversation) routestest.Page {
	c.SignIn("rosalind")
	c.Site.Globus.RotateKey()
	c.clock.Pass(time.Second)
	return c.SignIn("rosalind")
}

// userInfoSigned has userinfo answer as application/jwt, about somebody else.
func userInfoSigned(c conversation) routestest.Page {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS512, Key: routestest.SigningKey()}, nil)
	if err != nil {
		c.T.Fatal(err)
	}
	jws, err := signer.Sign([]byte(`{"sub":"canary","name":"Somebody Else"}`))
	if err != nil {
		c.T.Fatal(err)
	}
	jwt, err := jws.CompactSerialize()
	if err != nil {
		c.T.Fatal(err)
	}
	answer := globustest.Fault{Header: http.Header{"Content-Type": {"application/jwt"}}, Body: jwt}
	return signsIn(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.UserInfoPath: answer}})(c)
}

// refreshes signs in, and then refreshes the token of Globus Auth while Globus lies.
func refreshes(lie globustest.Lie) scene {
	return func(c conversation) routestest.Page {
		c.SignIn("rosalind")
		c.Site.Globus.Lie(lie)
		return c.refresh()
	}
}

func (c conversation) refresh() routestest.Page {
	c.T.Helper()
	return c.Send(http.MethodPost, "/tokens/refresh", c.Get("/").Form("server", globus.AuthServer))
}

// refreshesTwice needs for the second what came with the first.
func refreshesTwice(lie globustest.Lie) scene {
	return func(c conversation) routestest.Page {
		if p := refreshes(lie)(c); p.Status != http.StatusOK {
			c.T.Errorf("the first refresh: got %d:\n%s", p.Status, p.Body)
		}
		return c.refresh()
	}
}

// refusedByTransfer signs in, and has Transfer refuse two access tokens.
func refusedByTransfer(lie globustest.Lie) scene {
	return func(c conversation) routestest.Page {
		c.SignIn("rosalind")
		for range 2 {
			lie.Endpoints = map[string]globustest.Fault{globustest.TaskListPath: {Status: http.StatusUnauthorized, Times: 1}}
			c.Site.Globus.Lie(lie)
			if p := c.Get("/probe/tasks"); p.Status != http.StatusOK {
				c.T.Errorf("the tasks: got %d:\n%s", p.Status, p.Body)
			}
		}
		return c.Get("/")
	}
}

// An elsewhere is a server that nothing may be asked of.
type elsewhere struct {
	url    string
	visits *atomic.Int64
}

func newElsewhere(t *testing.T) elsewhere {
	var visits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	t.Cleanup(server.Close)
	return elsewhere{server.URL, &visits}
}

// otherKinds returns keys of kinds that Globus does not sign with.
func otherKinds(t *testing.T) []json.Marshaler {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const x = "WbbaSStuffeHMSqRxVvGGiZpOtGwPJg0bPqKrmn-2c8"
	return []json.Marshaler{
		jose.JSONWebKey{Key: ec.Public()}, jose.JSONWebKey{Key: ed},
		json.RawMessage(`{"kty":"EC","crv":"secp256k1","x":"` + x + `","y":"` + x + `"}`),
	}
}

// moreOfEach returns keys that leave three of each kind, Globus's own included.
func moreOfEach(t *testing.T) (keys []json.Marshaler) {
	for range 3 {
		keys = append(keys, otherKinds(t)...)
	}
	for range 2 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, jose.JSONWebKey{Key: key.Public(), Use: "sig", Algorithm: "RS512"})
	}
	return keys
}
