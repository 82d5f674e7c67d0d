package globustest

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

const stylePath = "/style.css"

var (
	//go:embed pages.html
	pagesHTML string
	//go:embed style.css
	styleCSS []byte

	pages = template.Must(template.New("pages").Funcs(template.FuncMap{
		"title":     Person.title,
		"join":      strings.Join,
		"appTitle":  Client.title,
		"stylePath": func() string { return stylePath },
	}).Parse(pagesHTML))
)

// A choosePage asks who is to sign in.
type choosePage struct {
	App    string
	Action string // where the choice is sent: this very request
	Scopes []scope
	People []Person

	Required requirement // of the session
	As       Person      // who is signed in already, and asked for no more than consent
}

// An errorPage is an error that only the person sees.
type errorPage struct {
	Code        string
	Message     string
	RedirectURI string // the one that is not registered; empty: the error is another
	ErrorID     string // filled in when the page is shown
}

func (p *errorPage) Error() string { return fmt.Sprintf("globustest: %s: %s", p.Code, p.Message) }

// show adapts an endpoint that browsers visit. An endpoint that returns an error
// has written nothing.
func show(h func(http.ResponseWriter, *http.Request) error, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed(w, r, methods) {
			return
		}
		setPageHeaders(w.Header())
		err := h(w, r)
		if err == nil {
			return
		}
		page, ok := errors.AsType[*errorPage](err)
		if !ok {
			refuse(w, r, err)
			return
		}
		recordOf(r).refuse(page)
		page.ErrorID = newUUID()
		if err := render(w, http.StatusBadRequest, "error", page); err != nil {
			refuse(w, r, err)
		}
	})
}

// setPageHeaders sends no form-action: browsers would apply it to the redirect
// back to the app, too.
func setPageHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

func render(w http.ResponseWriter, status int, name string, data any) error {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
	return nil
}

func serveStyle(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(styleCSS)
	return nil
}
