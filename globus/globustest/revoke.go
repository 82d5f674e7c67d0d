package globustest

import "net/http"

// revoke ends one token of the calling app. It says the same of every token:
// those that have ended, are another app's, or never were.
func (e *Emulator) revoke(r *http.Request) (any, error) {
	client, form, err := e.readCall(r, "token", "token_type_hint")
	if err != nil {
		return nil, err
	}
	if form.Get("token") == "" {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Missing token parameter")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	id := fingerprint(form.Get("token"))
	if e.state.Tokens[id].Grant.ClientID == client.ID {
		delete(e.state.Tokens, id)
	}
	return map[string]any{"active": false}, e.state.save()
}
