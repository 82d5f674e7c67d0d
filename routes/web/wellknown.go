package web

import "net/http"

// favicon answers browsers that ask for an icon by its old name, as they do next
// to an answer that is not a page.
func (s *Server) favicon(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", s.Icon)
	w.WriteHeader(http.StatusFound)
}

// robots lets search engines find the home page.
func (s *Server) robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	plain(w, http.StatusOK, "User-agent: *\nDisallow: "+s.Path("/login")+"\n")
}
