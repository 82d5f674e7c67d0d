// Package auth knows who is signed in: it signs people in and out with Globus
// Auth, decides who may go on, and yields the tokens to call Globus with.
//
// What a page needs of it:
//
//	site.Handle("GET /samples", auth.Required(s.samples))        // for people who are signed in
//	site.Handle("POST /samples", auth.Require(curators, s.add))  // for those whom a policy allows
//	func (s *site) samples(w http.ResponseWriter, r *http.Request, who *session.Session) error
//	who, err := s.auth.Session(r)              // on a page for everybody; nil if nobody is signed in
//	s.auth.Allows(who, curators)               // for templates
//	s.auth.Token(who, globus.TransferServer)   // to call a Globus service, or an API of yours
//
// A handler returns the errors of such calls. If Globus wants something of the
// person first, such as consent, they see a card with a button that leads to
// Globus and back (requirements.go, step_up.go).
//
// A sign-in: login.go sends the browser to Globus with an attempt (attempt.go);
// callback.go receives the answer, sign_in.go makes it a session, policy.go decides
// who may enter, and refusal.go says so to those who may not. middleware.go loads
// the session of each request, once.
package auth

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// A Config is what Auth needs to know. All of it is required but Policy.
type Config struct {
	Site   *web.Server    // whose people these are
	Globus *globus.Client // signs people in

	// SessionStore and SessionLifetime are as in session.Config. Audience
	// keeps the sessions of one registration from being those of another.
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
	policies []globus.Policy // of routes
	sessions *session.Manager
	outcomes outcomes // of callbacks
	asking   asking   // about facts that policies are decided from
}

// New opens the session store, and adds the middleware that loads sessions to the
// site. Close the Auth in the end.
func New(cfg Config) (*Auth, error) {
	a := &Auth{
		site:     cfg.Site,
		globus:   cfg.Globus,
		policy:   cfg.Policy,
		outcomes: outcomes{kept: map[string]*outcome{}, from: map[string]int{}},
	}
	var err error
	a.sessions, err = session.Open(session.Config{
		Store:    cfg.SessionStore,
		Lifetime: cfg.SessionLifetime,
		Cookie:   *a.site.Cookies.New("session", "", 0),
		Audience: cfg.Audience,
		Refresh:  a.refreshAtGlobus,
		Revoke:   a.revoke,
		Observe:  a.site.Metrics.StoreCall,
		Log:      a.site.Log,
		Now:      a.site.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("the session store: %w", err)
	}
	a.site.Use(a.middleware)
	return a, nil
}

// Close closes the session store. No request may be under way any more.
func (a *Auth) Close() error {
	return a.sessions.Close()
}

// Ready returns nil if the session store answers.
func (a *Auth) Ready(r *http.Request) error { return a.sessions.Ready(r.Context()) }

// A HandlerFunc answers a request of a person who is signed in, like a
// web.HandlerFunc.
type HandlerFunc func(w http.ResponseWriter, r *http.Request, s *session.Session) error

// Required lets those who are signed in on to h.
func (a *Auth) Required(h HandlerFunc) web.Handler { return required{a, globus.Policy{}, h} }

// Require lets those who are signed in, and whom policy allows, on to h.
func (a *Auth) Require(policy globus.Policy, h HandlerFunc) web.Handler {
	a.policies = append(a.policies, policy)
	return required{a, policy, h}
}

// Allows reports whether policy allows the person of s, as far as it is known:
// Globus is not asked. It is for templates, which leave out what would be refused;
// the route itself uses Require. Nobody is allowed if s is nil.
func (a *Auth) Allows(s *session.Session, policy globus.Policy) bool {
	return s != nil && policy.Decide(s.Facts, a.site.Now()).Allowed()
}

// Token returns the function that yields the person's tokens for a resource
// server: for globus.Client.Transfer, Groups or HTTPClient. They are refreshed when
// that is due.
func (a *Auth) Token(s *session.Session, server string) globus.TokenFunc {
	return func(ctx context.Context, rejected string) (globus.Token, error) {
		t, err := a.sessions.Token(ctx, s, server, rejected)
		return t, explainStore(err)
	}
}

// Replace puts a fresh token for a resource server into s, whether that is due or
// not.
func (a *Auth) Replace(ctx context.Context, s *session.Session, server string) error {
	fresh, err := a.Token(s, server)(ctx, s.Tokens[server].AccessToken)
	if err != nil {
		return err
	}
	s.Tokens[server] = fresh
	return nil
}

// refreshAtGlobus refreshes a token, and counts the outcome.
func (a *Auth) refreshAtGlobus(ctx context.Context, server string, old globus.Token, subject string) (globus.Token, error) {
	fresh, err := a.globus.Refresh(ctx, server, old, subject)
	a.site.Metrics.Refresh(err)
	if err == nil {
		a.site.Log.InfoContext(ctx, "token refreshed", "resource_server", server)
	}
	return fresh, err // routes/session logs a failure
}
