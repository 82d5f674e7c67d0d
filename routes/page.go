package routes

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"example.org/portal/components"
)

// page returns what every page shares.
func (a *App) page(r *http.Request, title string) components.Page {
	return components.Page{Site: a.site, Title: title, Visitor: a.visitor(r)}
}

// show answers with a fragment: as it is to htmx, inside the layout to anyone
// else. title is that of the page then.
func (a *App) show(w http.ResponseWriter, r *http.Request, status int, title string, fragment templ.Component) error {
	if wantsFragment(r) {
		return write(w, r, status, fragment)
	}
	return write(w, r, status, components.Frame(a.page(r, title), fragment))
}

// showPage answers with a whole page.
func (a *App) showPage(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	return write(w, r, status, page)
}

// write renders the content into a buffer, and then sends it. After an error
// nothing has been sent.
func write(w http.ResponseWriter, r *http.Request, status int, content templ.Component) error {
	b := templ.GetBuffer()
	defer templ.ReleaseBuffer(b)
	if err := content.Render(r.Context(), b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser is gone; it will ask again
	return nil
}

// isHtmx reports whether htmx sent r. It decides how to answer, never whether.
func isHtmx(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// wantsFragment reports whether the answer will stand inside a page. htmx asks
// for whole pages too: for the body, and when history is restored.
func wantsFragment(r *http.Request) bool {
	return isHtmx(r) && r.Header.Get("HX-Request-Type") == "partial"
}

// isNavigation reports whether the browser will show the answer to r as a page.
// Its destination does not tell: a service worker that fetches the page on the
// browser's behalf changes that, and keeps the mode.
func isNavigation(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode == "navigate" || mode == "" && !isHtmx(r)
}

// isPrefetch reports whether the browser asks only in case the person might.
func isPrefetch(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Purpose") == "prefetch"
}

// refusePrefetch answers with a status for which browsers throw the answer away,
// and ask again when the person does.
func refusePrefetch(w http.ResponseWriter) error {
	w.Header().Set("Retry-After", "10")
	w.WriteHeader(http.StatusServiceUnavailable)
	return nil
}

// redirect sends the browser to target with a GET, whatever r was.
func redirect(w http.ResponseWriter, target string) error {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// isOffice reports whether a program such as Word asks, for a link in a document.
// It follows redirects by itself, with cookies of its own, and hands the last
// address to the browser: that of a sign-in that nobody can finish.
func isOffice(r *http.Request) bool {
	agent := strings.ToLower(r.UserAgent())
	return strings.Contains(agent, "ms-office") || strings.Contains(agent, "microsoft office")
}

// answerOffice answers such a program with a page at the address that it asked
// for, which then the browser opens.
func answerOffice(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, `<!DOCTYPE html><html lang="en"><title>Portal</title><meta http-equiv="refresh" content="0"><p>Please open this link in a browser.</p></html>`)
}
