package globustest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
)

// A Lie says which responses are wrong, and how. Its fields can be combined. The zero value
// changes nothing.
//
//	Lie{Claims: Edit{Set: map[string]any{"aud": "someone-else"}}}  // a claim that is wrong
//	Lie{Claims: Edit{Set: map[string]any{"sub": nil}}}             // one that is null
//	Lie{Signing: HS256WithSecret}                                  // another algorithm
//	Lie{Header: Edit{Set: map[string]any{"crit": []string{"x"}}}}  // a header member
//	Lie{Token: Edit{Drop: []string{"id_token"}}}                   // no ID token at all
//	Lie{Refresh: Edit{Drop: []string{"refresh_token"}}}            // a refresh that gives no refresh token
//	Lie{Endpoints: map[string]Fault{KeysPath: {Status: 503}}}      // an endpoint that is down
//	Lie{Endpoints: map[string]Fault{TokenPath: {Status: 503, Times: 2}}} // twice, and then it is up
type Lie struct {
	Claims  Edit    // changes the claims of ID tokens
	Header  Edit    // changes the header of ID tokens, alg included: what signs them is up to Signing
	Payload string  // signed instead of the claims; empty: the claims
	Signing Signing // how ID tokens are signed; zero: as Globus does

	Token    Edit // changes the top-level members of a token response, with id_token and other_tokens; not those of dependent tokens
	UserInfo Edit // changes the claims in a userinfo response

	Refresh        Edit // changes, after Token, the response to a refresh
	RotateRefresh  bool // a refresh returns a new refresh token and revokes the old one
	RefreshIDToken bool // a refresh also returns an ID token, which Globus is not known to do

	TaskList Edit // changes the members of a task_list, with DATA
	Task     Edit // changes every document of a task, in a list and alone

	Introspection Edit // changes the introspection of an active token, with session_info and identity_set_detail
	Group         Edit // changes every group in my_groups, with my_memberships
	List          Edit // changes the members of a directory's list, with DATA

	// ConsentRequired are scopes that every call of Transfer requires: it responds with 403.
	// None: the collections' own requirements.
	ConsentRequired []string

	// ExtraKeys are served before the real key: each is a jose.JSONWebKey or a
	// json.RawMessage. None: only the real key.
	ExtraKeys []json.Marshaler

	// Endpoints has faults of whole endpoints, by path. Other endpoints respond normally.
	Endpoints map[string]Fault
}

// An Edit changes the members of a JSON object. The zero value changes nothing.
type Edit struct {
	Set  map[string]any // members to add or replace; nil becomes null, a json.RawMessage is sent as it is
	Drop []string       // members to remove
}

// apply returns the changed object, and leaves obj unchanged. Nil stays nil.
func (ed Edit) apply(obj map[string]any) map[string]any {
	if obj == nil {
		return nil
	}
	changed := maps.Clone(obj)
	for _, name := range ed.Drop {
		delete(changed, name)
	}
	maps.Copy(changed, ed.Set)
	return changed
}

// A Signing is a way to sign ID tokens.
type Signing int

// The zero Signing is what Globus does; a client must reject the others.
const (
	RS512              Signing = iota // with the key that KeysPath serves
	RS256                             // with that key, but another algorithm
	Unsigned                          // alg "none", no signature
	HS256WithSecret                   // HMAC whose key is the client secret
	HS512WithSecret                   // HMAC whose key is the client secret
	HS512WithPublicKey                // HMAC whose key is the public key in PEM form
	BrokenSignature                   // RS512 with one wrong bit
	ForeignKey                        // RS512, with a key that is not served
)

// A Fault is what goes wrong at one endpoint, whatever the request. The zero value is no
// fault. This is a redirect:
//
//	Fault{Status: 307, Header: http.Header{"Location": {"https://elsewhere.example"}}}
type Fault struct {
	// Arrived receives a value for each request, before anything else happens. Nil:
	// nothing is sent.
	Arrived chan<- struct{}

	// Wait holds each request until Wait is closed, the client cancels, or the Server is
	// closed. Nil: requests are not held.
	Wait <-chan struct{}

	// After runs the endpoint, which may spend a code for example, and then replaces its
	// response. It needs one of the response fields below.
	After bool

	// Times is the number of requests that meet the fault after Lie was called. 0: all.
	Times int

	HangUp  bool        // close the connection without a response (net/http's client may then retry a GET)
	Endless bool        // send Body again and again until the client closes the connection
	Status  int         // of the response; 0: 200, or the endpoint's own response if HangUp, Endless, Header and Body are zero too
	Header  http.Header // of the response; nil: only Content-Type application/json
	Body    string      // of the response; if it is empty, Endless sends spaces
}

// serve responds in place of endpoint, or calls it.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, endpoint http.Handler) {
	f.hold(r)
	if !f.HangUp && !f.Endless && f.Status == 0 && f.Header == nil && f.Body == "" {
		endpoint.ServeHTTP(w, r)
		return
	}
	if f.After {
		endpoint.ServeHTTP(discardWriter{http.Header{}}, r)
	}
	if f.HangUp {
		panic(http.ErrAbortHandler) // net/http closes the connection without a log message
	}
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(cmp.Or(f.Status, http.StatusOK))
	if f.Endless {
		f.sendEndlessly(w, r)
		return
	}
	w.Write([]byte(f.Body)) // in one piece: io.WriteString would send 2 KiB at a time
}

// hold waits as long as f says. It closes the connection if the client cancels.
func (f Fault) hold(r *http.Request) {
	if f.Arrived == nil && f.Wait == nil {
		return
	}
	// net/http notices that a client is gone only after the body has been read.
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	r.Body = io.NopCloser(bytes.NewReader(body))
	gone := r.Context().Done()
	if f.Arrived != nil {
		select {
		case f.Arrived <- struct{}{}:
		case <-gone:
			panic(http.ErrAbortHandler)
		}
	}
	if f.Wait == nil {
		return
	}
	select {
	case <-f.Wait:
	case <-gone:
		panic(http.ErrAbortHandler)
	}
}

// sendEndlessly writes until the client closes the connection, or the Server is closed.
func (f Fault) sendEndlessly(w io.Writer, r *http.Request) {
	body := []byte(cmp.Or(f.Body, " "))
	block := bytes.Repeat(body, 1+(32<<10)/len(body))
	for r.Context().Err() == nil {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// A discardWriter discards a response.
type discardWriter struct{ header http.Header }

func (w discardWriter) Header() http.Header         { return w.header }
func (w discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w discardWriter) WriteHeader(int)             {}
