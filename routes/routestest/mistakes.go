package routestest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Mistakes returns what is wrong with a page of the site, or a fragment, a sentence each:
// what the content security policy blocks, an id that two elements have, an address that
// no route answers, a form that would be refused because it has no token. Every page that
// a Browser opens is looked at, and its mistakes fail the test.
func (s *Site) Mistakes(p Page) []string {
	if !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	document, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		return []string{"the page cannot be parsed: " + err.Error()}
	}
	c := checker{site: s, page: p, ids: map[string]bool{}}
	for n := range document.Descendants() {
		if n.Type == html.ElementNode {
			c.element(n)
		}
	}
	return c.found
}

// wantNoMistakes fails the test over each of a page's mistakes, once.
func (b *Browser) wantNoMistakes(method string, p Page) {
	b.T.Helper()
	if b.Site.App == nil || !strings.HasPrefix(p.URL, b.Site.URL+"/") {
		return // the app is another process, or the page is Globus's
	}
	for _, mistake := range b.Site.Mistakes(p) {
		if _, before := b.Site.mistakes.LoadOrStore(mistake, true); !before {
			b.T.Errorf("%s %s: %s", method, p.URL, mistake)
		}
	}
}

// A checker looks for mistakes in one page.
type checker struct {
	site  *Site
	page  Page
	ids   map[string]bool
	found []string
}

func (c *checker) add(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

// allows reports whether the policy of the page has an exception for what is inline.
func (c *checker) allows(directive string) bool {
	for d := range strings.SplitSeq(c.page.Header.Get("Content-Security-Policy"), ";") {
		if name, sources, _ := strings.Cut(strings.TrimSpace(d), " "); name == directive {
			return strings.Contains(sources, "'unsafe-inline'")
		}
	}
	return false
}

func (c *checker) element(n *html.Node) {
	scripts, styles := c.allows("script-src"), c.allows("style-src")
	switch source, kind := attr(n, "src"), attr(n, "type"); {
	case n.Data == "script" && source == "" && !strings.Contains(kind, "json") && !scripts:
		c.add("it has an inline script, which the content security policy blocks: put it into a file in static/, and name that with Asset")
	case n.Data == "style" && !styles:
		c.add("it has an inline <style>, which the content security policy blocks: put it into static/app.css")
	}
	for _, a := range n.Attr {
		switch name := a.Key; {
		case name == "style" && !styles:
			c.add("<%s> has a style attribute, which the content security policy blocks: give it a class", n.Data)
		case (strings.HasPrefix(name, "on") || strings.HasPrefix(name, "hx-on")) && !scripts:
			c.add("<%s> has the attribute %s, which the content security policy blocks: add the listener in a script in static/", n.Data, name)
		case strings.HasPrefix(name, "hx-") && (strings.HasPrefix(a.Val, "js:") || strings.HasPrefix(a.Val, "javascript:")) && !scripts:
			c.add("%s begins with js:, which needs the eval that the content security policy blocks", name)
		case name == "id" && c.ids[a.Val]:
			c.add("two elements have the id %q: choose another, because the layout or another part of the page has that one", a.Val)
		case name == "id":
			c.ids[a.Val] = true
		}
	}
	c.leads(n, http.MethodGet, "href")
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		name := "hx-" + strings.ToLower(method)
		c.leads(n, method, name)
		if method != http.MethodGet && attr(n, name) != "" && !carriesToken(n, method == http.MethodDelete) {
			c.add("<%s> with %s sends no token, and would be refused: give it hx-headers={ CSRFHeaders(ctx) }", n.Data, name)
		}
	}
	if n.Data == "form" {
		method := http.MethodGet
		if strings.EqualFold(attr(n, "method"), "post") {
			method = http.MethodPost
			if !hasToken(n) {
				c.add("the form for %s has no token, and would be refused: begin it with @csrf()", attr(n, "action"))
			}
		}
		c.leads(n, method, "action")
	}
}

// leads checks that a route answers the address in an attribute of n.
func (c *checker) leads(n *html.Node, method, name string) {
	address := attr(n, name)
	base, err := url.Parse(c.page.URL)
	if c.page.Status >= http.StatusBadRequest { // it leads back to wherever the person was
		return
	}
	if address == "" || strings.HasPrefix(address, "#") || err != nil || n.Data == "link" {
		return
	}
	to, err := base.Parse(address)
	if err != nil {
		c.add("%s=%q is no address", name, address)
		return
	}
	home, _ := url.Parse(c.site.URL)
	if to.Scheme != home.Scheme || to.Host != home.Host || !strings.HasPrefix(to.Path, home.Path+"/") || strings.HasPrefix(to.Path, home.Path+"/static/") {
		return
	}
	if !c.site.App.HasRoute(method, to.Path) {
		c.add("no route answers %s %s: add it to the table in routes/routes.go, or mend the %s of <%s>", method, to.Path, name, n.Data)
	}
}

// carriesToken reports whether htmx sends a token for n: in a header, which elements
// around it can lend, or as a field of its form, which a DELETE leaves at home.
func carriesToken(n *html.Node, isDelete bool) bool {
	for at := n; at != nil; at = at.Parent {
		headers := attr(at, "hx-headers:inherited")
		if at == n {
			headers += attr(at, "hx-headers")
		}
		if strings.Contains(headers, "X-CSRF-Token") || at.Data == "form" && hasToken(at) && (at == n || !isDelete) {
			return true
		}
	}
	return false
}

func hasToken(form *html.Node) bool {
	for n := range form.Descendants() {
		if n.Data == "input" && attr(n, "name") == "csrf_token" {
			return true
		}
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
