package routes

import "net/http"

// livez tells a supervisor that the process serves.
func (a *App) livez(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

// readyz tells a proxy whether to send people here. Globus being down is no
// reason not to: those who are signed in can work.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	if a.draining.Load() {
		plain(w, http.StatusServiceUnavailable, "stopping\n")
		return
	}
	if err := a.sessions.Ready(r.Context()); err != nil {
		visitOf(r).err = err
		plain(w, http.StatusServiceUnavailable, "the session store does not answer\n")
		return
	}
	plain(w, http.StatusOK, "ok\n")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
