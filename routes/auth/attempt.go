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
	attemptTTL       = 10 * time.Minute
	attemptCookieTTL = 12 * time.Hour // longer, so that Next is known when a callback comes too late
	maxAttempts      = 5              // in one browser
	maxAttempt       = 3800           // bytes of one cookie's value; browsers keep 4 KiB with its name
	maxAttemptsSize  = 7 << 10        // bytes of all of them; proxies accept 8 KiB of cookies
)

// An attempt is a sign-in, or a step-up, under way. A cookie of its own holds all of
// it: the server stores nothing, any instance can complete it, and two tabs do not
// disturb each other. The cookie is not sealed, because the owner of the browser may
// know what it holds.
type attempt struct {
	globus.Attempt
	Next   string    // the local path to redirect to in the end; "" is the home page
	Begun  time.Time // by this machine's clock
	Prompt bool      `json:",omitempty"` // whether Globus was sent prompt=login
	StepUp string    `json:",omitempty"` // in a step-up, the subject of the person who is signed in; "" in a sign-in
}

// attemptKind returns the kind of cookie that holds the attempt with this state.
func attemptKind(state string) string {
	hash := sha256.Sum256([]byte(state))
	return "login-" + hex.EncodeToString(hash[:8])
}

// setAttempt sets the cookie of t. If the browser then has too many attempts, or too
// many bytes of them, setAttempt expires the oldest ones.
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
		// The name is checked too, because another app of the host may have such cookies.
		old, ok := readAttempt(c.Value)
		if kind := attemptKind(old.State); ok && c.Name == a.site.Cookies.Name(kind) {
			others = append(others, other{kind, old.Begun, len(c.Value)})
		}
	}
	slices.SortFunc(others, func(x, y other) int { return y.begun.Compare(x.begun) }) // newest first
	size := len(value)
	for i, old := range others {
		if size += old.size; i+1 >= maxAttempts || size > maxAttemptsSize {
			http.SetCookie(w, a.site.Cookies.New(old.kind, "", -1))
		}
	}
	http.SetCookie(w, a.site.Cookies.New(attemptKind(t.State), value, int(attemptCookieTTL/time.Second)))
	return nil
}

func (t attempt) cookieValue() (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // which writes each & of Next with six bytes
	if err := enc.Encode(t); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes()), nil
}

// attempt returns the attempt that r's browser began with this state. fresh is false
// if there is none, or if it is older than attemptTTL; then only Next may be used.
func (a *Auth) attempt(r *http.Request, state string) (t attempt, fresh bool) {
	if state == "" { // or it would equal the state of an empty attempt
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
	return t, a.site.Now().Sub(t.Begun).Abs() < attemptTTL
}

// clearAttempt expires the cookie of the attempt with this state.
func (a *Auth) clearAttempt(w http.ResponseWriter, state string) {
	http.SetCookie(w, a.site.Cookies.New(attemptKind(state), "", -1))
}

// readAttempt parses the value of an attempt's cookie.
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
