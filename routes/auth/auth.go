// Package auth knows who is signed in: it signs people in and out with Globus
// Auth, enforces access policies, and provides the tokens to call Globus with.
//
// What a page needs of it:
//
//	site.Handle("GET /samples", auth.Required(s.samples))        // for people who are signed in
//	site.Handle("POST /samples", auth.Require(curators, s.add))  // for people whom a policy allows
//	func (s *site) samples(w http.ResponseWriter, r *http.Request, who *session.Session) error
//	who, err := s.auth.Session(r)              // on a page for everybody; nil if nobody is signed in
//	s.auth.Allows(who, curators)               // for templates
//	s.auth.Token(who, globus.TransferServer)   // to call a Globus service, or an API of yours
//
// A handler returns the errors of such calls. If a Globus service has requirements
// first, such as consent, the person sees a card with a button that leads to Globus
// and back (requirements.go, step_up.go).
//
// A sign-in: login.go starts an attempt (attempt.go) and redirects to Globus;
// callback.go receives the authorization code, sign_in.go exchanges it and starts
// a session, policy.go checks the access policy, and refusal.go tells people why
// they are refused. middleware.go loads the session of each request, once.
package auth

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// A Config configures an Auth. All fields are required except Policy.
type Config struct {
	Site   *web.Server    // the site that people sign in to
	Globus *globus.Client // signs people in

	// SessionStore and SessionLifetime are as in session.Config. Audience separates
	// the sessions of one registration at Globus from those of another.
	SessionStore    string
	SessionLifetime time.Duration
	Audience        string

	Policy globus.Policy // who may enter; the zero value is anybody
}

// An Auth signs people in and out. Make one with New.
type Auth struct {
	site     *web.Server
	globus   *globus.Client
	policy   globus.Policy   // of the whole app
	policies []globus.Policy // of single routes
	sessions *session.Manager
	outcomes outcomes // of recent callbacks

	renewals      singleflight.Group // of facts, by session
	failedRenewal sync.Map           // the time.Time of a renewal that failed recently, by session ID
}

// New opens the session store, and adds the middleware that loads sessions to the
// site. Close the Auth in the end.
func New(cfg Config) (*Auth, error) {
	a := &Auth{
		site:     cfg.Site,
		globus:   cfg.Globus,
		policy:   cfg.Policy,
		outcomes: outcomes{recent: map[string]*outcome{}, pendingOf: map[string]int{}},
	}
	var err error
	a.sessions, err = session.Open(session.Config{
		Store:     cfg.SessionStore,
		Lifetime:  cfg.SessionLifetime,
		Cookie:    *a.site.Cookies.New("session", "", 0),
		Audience:  cfg.Audience,
		Refresh:   a.refreshAtGlobus,
		Revoke:    a.revoke,
		Observe:   a.site.Metrics.StoreCall,
		Connected: a.site.Metrics.StoreServer,
		Log:       a.site.Log,
		Now:       a.site.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("the session store: %w", err)
	}
	a.site.Use(a.middleware)
	return a, nil
}

// Close closes the session store. Call it when no request is under way any more.
func (a *Auth) Close() error {
	return a.sessions.Close()
}

// Ready returns which session store is in use, and an error if it does not answer.
func (a *Auth) Ready(r *http.Request) (store string, err error) {
	err = a.sessions.Ready(r.Context())
	return a.sessions.Server(), err
}

// A HandlerFunc answers a request of a person who is signed in, like a
// web.HandlerFunc.
type HandlerFunc func(w http.ResponseWriter, r *http.Request, s *session.Session) error

// Required returns a handler that calls h for people who are signed in.
func (a *Auth) Required(h HandlerFunc) web.Handler { return required{a, globus.Policy{}, h} }

// Require returns a handler that calls h for people who are signed in and whom
// policy allows. Call it before the site serves.
func (a *Auth) Require(policy globus.Policy, h HandlerFunc) web.Handler {
	a.policies = append(a.policies, policy)
	return required{a, policy, h}
}

// Allows reports whether policy allows the person of s, so that a template can leave out
// what would be refused; the route itself uses Require, with the same policy. Like
// Require, it asks Globus again when what Globus said is too old. But it asks for no
// consent: for a policy of groups it returns false until the person has given theirs, at
// their first use of a route, or at sign-in if GLOBUS_SCOPES has the scope. It returns
// false if s is nil.
func (a *Auth) Allows(s *session.Session, policy globus.Policy) bool {
	if s == nil || consentFor(s, policy) != nil || a.renewDue(context.Background(), s, policy) != nil {
		return false
	}
	return policy.Decide(s.Facts, a.site.Now()).Allowed()
}

// Token returns the function that returns the person's token for a resource server:
// for globus.Client.Transfer, Groups or HTTPClient. It refreshes a token that is
// about to expire.
func (a *Auth) Token(s *session.Session, server string) globus.TokenFunc {
	return func(ctx context.Context, rejected string) (globus.Token, error) {
		t, err := a.sessions.Token(ctx, s, server, rejected)
		return t, explainStore(err)
	}
}

// Refresh refreshes the token of s for a resource server now, whether that is due
// or not.
func (a *Auth) Refresh(ctx context.Context, s *session.Session, server string) error {
	fresh, err := a.Token(s, server)(ctx, s.Tokens[server].AccessToken)
	if err != nil {
		return err
	}
	s.Tokens[server] = fresh
	return nil
}

// refreshAtGlobus refreshes a token, and counts the outcome. Package session logs
// a failure.
func (a *Auth) refreshAtGlobus(ctx context.Context, server string, old globus.Token, subject string) (globus.Token, error) {
	fresh, err := a.globus.Refresh(ctx, server, old, subject)
	a.site.Metrics.Refresh(err)
	if err == nil {
		a.site.Log.InfoContext(ctx, "token refreshed", "resource_server", server)
	}
	return fresh, err
}
