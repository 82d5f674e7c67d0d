package web

import "net/http"

// livez tells a supervisor that the process serves.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

// readyz tells a proxy whether to send requests here. It does not depend on
// Globus: without it, those who are signed in can still work.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		plain(w, http.StatusServiceUnavailable, "stopping\n")
		return
	}
	text := "ok\n"
	if s.ready != nil {
		store, err := s.ready(r)
		if err != nil {
			SetReason(r, err)
			plain(w, http.StatusServiceUnavailable, "the session store does not answer\n")
			return
		}
		text += "session store: " + store + "\n"
	}
	plain(w, http.StatusOK, text)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
