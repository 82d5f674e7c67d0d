package routes

import (
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
func isNavigation(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	return !isHtmx(r) && (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
}

// isCrossSite reports whether a link of another site led to r.
func isCrossSite(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Site") == "cross-site" }

// isPrefetch reports whether the browser asks only in case the person might.
func isPrefetch(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Sec-Purpose"), "prefetch")
}

// redirect sends the browser to target with a GET, whatever r was.
func redirect(w http.ResponseWriter, target string) error {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
