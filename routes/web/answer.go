package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/justinas/nosurf"

	"example.org/portal/components"
)

// NewPage returns what the pages of the app share, for the page that answers r.
// An empty title is that of the home page.
func NewPage(r *http.Request, title string) components.Page {
	state := stateOf(r)
	state.flash = flash(r)
	p := components.Page{
		Site:    state.site.Site,
		Title:   title,
		Route:   strings.TrimPrefix(r.URL.Path, state.site.BasePath),
		Visitor: state.visitor,
		Message: state.flash,
	}
	p.Visitor.OnAccount = p.Route == "/account"
	if !p.Visitor.SignedIn {
		next := ""
		if isRead(r) {
			next = state.site.Here(r)
		}
		p.Visitor.LoginURL = state.site.LoginURL(next)
	}
	return p
}

// Show answers with a fragment: htmx gets the fragment alone, and anybody else a
// page with this title that has the fragment as its content.
func Show(w http.ResponseWriter, r *http.Request, title string, fragment templ.Component) error {
	return ShowStatus(w, r, http.StatusOK, title, fragment)
}

// ShowInvalid answers a form that has to be corrected, with 422: form is the form again,
// with what was typed and with errs, see components.FieldErrors. A script that wants JSON
// gets errs as a problem.
func ShowInvalid(w http.ResponseWriter, r *http.Request, title string, errs components.FieldErrors, form templ.Component) error {
	invalid := &Problem{
		Status: http.StatusUnprocessableEntity, Reason: "invalid", Heading: "Something in the form is not right",
		Message: "Nothing was done. Correct it, and send it again.", Errors: errs,
	}
	if WantsJSON(r) {
		return invalid
	}
	SetReason(r, invalid)
	return ShowStatus(w, r, invalid.Status, title, form)
}

// ShowStatus is Show with another status than 200. For an error, return a Problem
// instead; for a form that has to be corrected there is ShowInvalid.
func ShowStatus(w http.ResponseWriter, r *http.Request, status int, title string, fragment templ.Component) error {
	if WantsFragment(r) {
		return write(w, r, status, fragment)
	}
	return write(w, r, status, components.Frame(NewPage(r, title), fragment))
}

// ShowPage answers with a whole page, which was made with NewPage.
func ShowPage(w http.ResponseWriter, r *http.Request, page templ.Component) error {
	return ShowPageStatus(w, r, http.StatusOK, page)
}

// ShowPageStatus is ShowPage with another status than 200.
func ShowPageStatus(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	return write(w, r, status, page)
}

// write renders the content into a buffer and then sends it. After an error,
// nothing has been sent.
func write(w http.ResponseWriter, r *http.Request, status int, content templ.Component) error {
	b := templ.GetBuffer()
	defer templ.ReleaseBuffer(b)
	if err := content.Render(components.WithCSRFToken(r.Context(), nosurf.Token(r)), b); err != nil {
		return err
	}
	if state := stateOf(r); state.flash != "" && !state.flashed && !WantsFragment(r) { // the page says it
		http.SetCookie(w, state.site.Cookies.New(flashCookie, "", -1))
	}
	return send(w, status, "text/html; charset=utf-8", b.Bytes())
}

// JSON answers with value as JSON.
func JSON(w http.ResponseWriter, _ *http.Request, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, "application/json", append(b, '\n'))
}

func send(w http.ResponseWriter, status int, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // if the browser is gone, nobody can be told
	return nil
}

// Redirect sends the browser to another page of the app by GET, whatever the
// method of r was. path is a route with its query, such as "/samples?page=2";
// what is not a path of the app leads to the home page. htmx puts the fragment of that
// page in its target; if there is a message for the next page, see Flash, it loads the
// page instead.
func Redirect(w http.ResponseWriter, r *http.Request, path string) error {
	state := stateOf(r)
	url := state.site.Absolute(state.site.Path(path))
	if state.flashed && WantsFragment(r) {
		w.Header().Set("HX-Redirect", url)
		return send(w, http.StatusOK, "text/html; charset=utf-8", nil)
	}
	return RedirectURL(w, url)
}

// RedirectURL is Redirect to a whole URL.
func RedirectURL(w http.ResponseWriter, url string) error {
	w.Header().Set("Location", url)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// RefusePrefetch answers with a status for which browsers discard the answer and
// ask again when the person clicks.
func RefusePrefetch(w http.ResponseWriter) error {
	w.Header().Set("Retry-After", "10")
	w.WriteHeader(http.StatusServiceUnavailable)
	return nil
}

const (
	flashCookie = "message"
	maxFlash    = 1000 // bytes
)

// Flash shows message once, on the next page that this browser loads, such as "Sample
// deleted." after a redirect. A browser keeps it meanwhile: the server stores nothing.
// A message over 1,000 bytes is cut off.
func Flash(w http.ResponseWriter, r *http.Request, message string) {
	state := stateOf(r)
	state.flashed = true
	whole := strings.ToValidUTF8(message[:min(len(message), maxFlash)], "")
	http.SetCookie(w, state.site.Cookies.New(flashCookie, base64.RawURLEncoding.EncodeToString([]byte(whole)), 0))
}

// flash returns the message that r's browser keeps for its next page.
func flash(r *http.Request) string {
	c, err := r.Cookie(stateOf(r).site.Cookies.Name(flashCookie))
	if err != nil || len(c.Value) > 2*maxFlash {
		return ""
	}
	message, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || !utf8.Valid(message) {
		return ""
	}
	return string(message)
}
