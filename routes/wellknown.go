package routes

import "net/http"

// favicon answers browsers that ask for an icon by its old name. They do beside
// an answer that is no page, and so does not name one.
func (a *App) favicon(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", a.site.Icon)
	w.WriteHeader(http.StatusFound)
}

// robots lets search engines find the home page.
func (a *App) robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	plain(w, http.StatusOK, "User-agent: *\nDisallow: "+a.site.Path("/login")+"\n")
}
