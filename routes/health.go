package routes

import (
	"net/http"
)

// livez tells a supervisor that the process serves.
func (a *App) livez(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

// readyz tells a proxy whether to send people here. Globus being down is no
// reason not to: those who are signed in can work.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	if err := a.sessions.Ready(r.Context()); err != nil {
		a.log.ErrorContext(r.Context(), "not ready", "reason", err)
		plain(w, http.StatusServiceUnavailable, "the session store does not answer\n")
		return
	}
	plain(w, http.StatusOK, "ok\n")
}

// favicon answers browsers that ask for it by its old name, as they do for what
// is not a page of ours.
func (a *App) favicon(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", a.site.Icon)
	w.WriteHeader(http.StatusFound)
}

// robots lets search engines find the home page.
func (a *App) robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	plain(w, http.StatusOK, "User-agent: *\nDisallow: "+a.site.Path("/login")+"\n")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
