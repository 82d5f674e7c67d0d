package auth

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
	attemptKept     = 12 * time.Hour // its cookie, so that a callback that comes too late still leads to Next
	maxAttempts     = 5              // tabs in which a sign-in is under way
	maxAttempt      = 3800           // bytes of one cookie's value; browsers keep 4 KiB with its name
	maxAttemptsSize = 7 << 10        // bytes of all of them; proxies let pass 8 KiB of cookies
)

// An attempt is one sign-in under way, kept whole in a cookie of its own: the
// server stores nothing, any instance can complete it, and two tabs do not disturb
// each other. The cookie is not sealed, because it tells the owner of the browser
// nothing that they do not know already.
type attempt struct {
	globus.Attempt
	Next   string    // where to go in the end; "" is the home page
	Begun  time.Time // by this machine's clock
	Prompt bool      `json:",omitempty"` // Globus was told to ask who it is, even if it remembers somebody
	StepUp string    `json:",omitempty"` // the subject of the person who is signed in and goes to Globus once more; "" for a sign-in
}

// attemptKind returns the kind of the cookie of the attempt with this state.
func attemptKind(state string) string {
	hash := sha256.Sum256([]byte(state))
	return "login-" + hex.EncodeToString(hash[:8])
}

// setAttempt gives the attempt to the browser. If the browser then has too many
// attempts, or too many bytes of them, the oldest ones are expired.
func (a *Auth) setAttempt(w http.ResponseWriter, r *http.Request, t attempt) error {
	value, err := t.cookieValue()
	if err != nil {
		return err
	}
	type other struct {
		kind  string
		begun time.Time
		size  int
	}
	var others []other
	for _, c := range r.Cookies() {
		// Another app of the same host may have cookies with similar names.
		old, ok := readAttempt(c.Value)
		if kind := attemptKind(old.State); ok && c.Name == a.site.Cookies.Name(kind) {
			others = append(others, other{kind, old.Begun, len(c.Value)})
		}
	}
	slices.SortFunc(others, func(x, y other) int { return y.begun.Compare(x.begun) }) // the latest first
	size := len(value)
	for i, old := range others {
		if size += old.size; i+1 >= maxAttempts || size > maxAttemptsSize {
			http.SetCookie(w, a.site.Cookies.New(old.kind, "", -1))
		}
	}
	http.SetCookie(w, a.site.Cookies.New(attemptKind(t.State), value, int(attemptKept/time.Second)))
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
func (a *Auth) attempt(r *http.Request, state string) (t attempt, fresh bool) {
	if state == "" {
		return attempt{}, false
	}
	c, err := r.Cookie(a.site.Cookies.Name(attemptKind(state)))
	if err != nil {
		return attempt{}, false
	}
	t, ok := readAttempt(c.Value)
	if !ok || subtle.ConstantTimeCompare([]byte(t.State), []byte(state)) != 1 {
		return attempt{}, false
	}
	return t, a.site.Now().Sub(t.Begun).Abs() < attemptLifetime
}

// clearAttempt takes the attempt from the browser.
func (a *Auth) clearAttempt(w http.ResponseWriter, state string) {
	http.SetCookie(w, a.site.Cookies.New(attemptKind(state), "", -1))
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
