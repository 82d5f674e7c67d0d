package auth

import (
	"net/http"
	"time"

	"example.org/portal/globus"
)

// SetAttempt gives the browser an attempt with these secrets.
func (a *Auth) SetAttempt(w http.ResponseWriter, r *http.Request, begun globus.Attempt, next string, now time.Time) error {
	return a.setAttempt(w, r, attempt{Attempt: begun, Next: next, Begun: now})
}

// ForgetOutcomes makes the codes of earlier callbacks good once more.
func (a *Auth) ForgetOutcomes() { a.outcomes.recent = map[string]*outcome{} }
