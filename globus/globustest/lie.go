package globustest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
)

// A Lie says what the emulator is to get wrong. Its fields combine; the zero
// value is the truth.
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
	Payload string  // is signed in place of the claims; empty: the claims are
	Signing Signing // how ID tokens are signed; zero: as Globus does

	Token    Edit // changes the top-level members of what the token endpoint grants, id_token and other_tokens included; not a list of dependent tokens
	UserInfo Edit // changes the claims that the userinfo endpoint sends

	Refresh        Edit // changes, after Token did, what a refresh grants
	RotateRefresh  bool // a refresh gives a new refresh token, and the old one ends
	RefreshIDToken bool // a refresh gives an ID token too, which Globus has not been seen to do

	TaskList Edit // changes the members of a task_list, DATA included
	Task     Edit // changes every task document, in a list and alone

	Introspection Edit // changes what is said of a token that is active, session_info and identity_set_detail included
	Group         Edit // changes every group in my_groups, my_memberships included
	List          Edit // changes the members of a directory's list, DATA included

	// ConsentRequired are scopes that Transfer wants before it answers anything,
	// with 403. None: it wants no more than a token for it.
	ConsentRequired []string

	// ExtraKeys are served ahead of the real key: each a jose.JSONWebKey or a
	// json.RawMessage. None: the real key alone.
	ExtraKeys []json.Marshaler

	// Endpoints holds what goes wrong at an endpoint as a whole, by its path.
	// A path that is not in it answers.
	Endpoints map[string]Fault
}

// An Edit changes the members of a JSON object. The zero value leaves it alone.
type Edit struct {
	Set  map[string]any // members to add or replace; nil stands for null, json.RawMessage for itself
	Drop []string       // members to leave out
}

// apply returns the changed object; obj itself stays as it is. Nil stays nil.
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

// The zero Signing is what Globus does; every other must be refused.
const (
	RS512              Signing = iota // with the key that KeysPath serves
	RS256                             // with that key, but another algorithm
	Unsigned                          // alg "none", no signature
	HS256WithSecret                   // HMAC, the client secret its key
	HS512WithSecret                   // likewise
	HS512WithPublicKey                // HMAC, its key the public key in PEM form
	BrokenSignature                   // RS512, but one bit is wrong
	ForeignKey                        // RS512, with a key that is not served
)

// A Fault is what goes wrong at one endpoint, whatever is asked of it. The
// zero value is no fault. A redirect is
//
//	Fault{Status: 307, Header: http.Header{"Location": {"https://elsewhere.example"}}}
type Fault struct {
	// Arrived receives a value for each request before anything else happens, so
	// that a test knows that it is there. Nil: nothing is sent.
	Arrived chan<- struct{}

	// Wait holds each request up until it is closed, or until the client gives
	// up or the Server is closed. Nil: nothing waits.
	Wait <-chan struct{}

	// After lets the endpoint do its work, such as spending a code, and only
	// then go wrong: its own answer is lost. It needs one of the fields below.
	After bool

	// Times is how many requests the fault is for, counted from Lie; those after
	// them the endpoint answers. 0: it is for all.
	Times int

	HangUp  bool        // close the connection without an answer (net/http's client may then try a GET again)
	Endless bool        // send Body again and again until the client hangs up
	Status  int         // answer with this status; 0: 200, or the endpoint itself answers if the fields beside this one are zero too
	Header  http.Header // of that answer; nil: Content-Type application/json alone
	Body    string      // of that answer; with Endless, empty is a blank
}

// serve answers in place of endpoint, or lets it answer.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, endpoint http.Handler) {
	f.hold(r)
	if !f.HangUp && !f.Endless && f.Status == 0 && f.Header == nil && f.Body == "" {
		endpoint.ServeHTTP(w, r)
		return
	}
	if f.After {
		endpoint.ServeHTTP(lost{http.Header{}}, r)
	}
	if f.HangUp {
		panic(http.ErrAbortHandler) // net/http closes the connection and says nothing
	}
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(cmp.Or(f.Status, http.StatusOK))
	if f.Endless {
		f.pour(w, r)
		return
	}
	w.Write([]byte(f.Body)) // in one piece: io.WriteString would send 2 KiB at a time
}

// hold waits as long as f says, and breaks the connection off if nobody wants
// an answer any more.
func (f Fault) hold(r *http.Request) {
	if f.Arrived == nil && f.Wait == nil {
		return
	}
	// Only once the body is read does net/http notice that a client is gone.
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

// pour writes until the client hangs up, or the Server is closed.
func (f Fault) pour(w io.Writer, r *http.Request) {
	drop := []byte(cmp.Or(f.Body, " "))
	block := bytes.Repeat(drop, 1+(32<<10)/len(drop))
	for r.Context().Err() == nil {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// lost is an answer that nobody gets.
type lost struct{ header http.Header }

func (l lost) Header() http.Header         { return l.header }
func (l lost) Write(p []byte) (int, error) { return len(p), nil }
func (l lost) WriteHeader(int)             {}
