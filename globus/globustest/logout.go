package globustest

import (
	"net/http"
	"net/url"
	"slices"
)

// logout ends the browser's single sign-on session. Like Globus it offers a way
// on only if it is given both an address and a name for it, and never goes there
// by itself. It revokes nothing.
func (e *Emulator) logout(w http.ResponseWriter, r *http.Request) error {
	if err := e.endSession(w, r); err != nil {
		return err
	}
	params := r.URL.Query()
	var page signedOutPage
	if client, ok := e.client(params.Get("client_id")); ok {
		page.App = client.title()
	}
	u, err := url.Parse(params.Get("redirect_uri"))
	name := params.Get("redirect_name")
	if err == nil && name != "" && u.Host != "" && slices.Contains([]string{"http", "https"}, u.Scheme) {
		page.ContinueTo, page.ContinueName = u.String(), name
	}
	return render(w, http.StatusOK, "signed-out", page)
}
