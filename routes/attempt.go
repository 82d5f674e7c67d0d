package routes

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"example.org/portal/globus"
)

const (
	attemptLifetime = 10 * time.Minute
	attemptKept     = 12 * time.Hour // its cookie, so that where they were going is known when they come back too late
	maxAttempts     = 5              // tabs in which a sign-in is under way
	maxAttempt      = 3800           // bytes of one cookie's value; browsers keep 4 KiB with its name
	maxAttemptsSize = 7 << 10        // bytes of all of them; proxies let pass 8 KiB of cookies
)

// An attempt is one sign-in under way, kept whole in a cookie of its own: the
// server remembers nothing of it, any instance can finish it, and two tabs do
// not disturb each other. The cookie is not sealed, for it tells the browser's
// owner nothing that they do not hold already.
type attempt struct {
	globus.Attempt
	Next   string    // where to go in the end; "" is the home page
	Begun  time.Time // by this machine's clock
	Prompt bool      `json:",omitempty"` // Globus was told to ask who it is, whomever it remembers
	StepUp string    `json:",omitempty"` // subject of the person who is signed in and is to come back; "": to sign in
}

// attemptName returns the name of the cookie of the attempt with this state.
func (a *App) attemptName(state string) string {
	hash := sha256.Sum256([]byte(state))
	return a.cookies.name("login-" + hex.EncodeToString(hash[:8]))
}

// keepAttempt gives the attempt to the browser, and takes its oldest ones if it
// would have too many, or too long ones.
func (a *App) keepAttempt(w http.ResponseWriter, r *http.Request, t attempt) error {
	value, err := t.cookieValue()
	if err != nil {
		return err
	}
	type kept struct {
		name  string
		begun time.Time
		size  int
	}
	var others []kept
	for _, c := range r.Cookies() {
		// A neighbour under another path may have cookies that are named alike.
		old, ok := readAttempt(c.Value)
		if ok && c.Name == a.attemptName(old.State) {
			others = append(others, kept{c.Name, old.Begun, len(c.Value)})
		}
	}
	slices.SortFunc(others, func(x, y kept) int { return y.begun.Compare(x.begun) }) // the latest first
	size := len(value)
	for i, old := range others {
		if size += old.size; i+1 >= maxAttempts || size > maxAttemptsSize {
			http.SetCookie(w, a.cookies.cookie(old.name, "", -1))
		}
	}
	http.SetCookie(w, a.cookies.cookie(a.attemptName(t.State), value, int(attemptKept/time.Second)))
	return nil
}

func (t attempt) cookieValue() (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // it would write each & of Next with six bytes
	if err := enc.Encode(t); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes()), nil
}

// attempt returns the attempt that r's browser began with this state, if it did.
// A state is never compared with one that is not there. Of an attempt that was
// begun too long ago only Next is of use, and fresh is false.
func (a *App) attempt(r *http.Request, state string) (t attempt, fresh bool) {
	if state == "" {
		return attempt{}, false
	}
	c, err := r.Cookie(a.attemptName(state))
	if err != nil {
		return attempt{}, false
	}
	t, ok := readAttempt(c.Value)
	if !ok || subtle.ConstantTimeCompare([]byte(t.State), []byte(state)) != 1 {
		return attempt{}, false
	}
	return t, a.now().Sub(t.Begun).Abs() < attemptLifetime
}

// spendAttempt takes the attempt from the browser.
func (a *App) spendAttempt(w http.ResponseWriter, state string) {
	http.SetCookie(w, a.cookies.cookie(a.attemptName(state), "", -1))
}

func readAttempt(value string) (attempt, bool) {
	var t attempt
	if len(value) > maxAttempt {
		return t, false
	}
	plain, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || json.Unmarshal(plain, &t) != nil {
		return attempt{}, false
	}
	return t, t.State != "" && t.Nonce != "" && t.Verifier != ""
}
