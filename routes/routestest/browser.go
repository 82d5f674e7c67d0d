package routestest

import (
	"cmp"
	"context"
	"html"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

// A Browser keeps cookies, and follows no redirect unless told to.
type Browser struct {
	T      testing.TB
	Site   *Site
	Client *http.Client
}

// Browser returns one that has never been used. It runs no JavaScript: for that
// there is Person.
func (s *Site) Browser() *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.T.Fatal(err)
	}
	// One of its own: httptest closes what is idle of the usual one, under whoever uses it.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	s.T.Cleanup(transport.CloseIdleConnections)
	return &Browser{T: s.T, Site: s, Client: &http.Client{
		Jar:           jar,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Cookies returns the app's cookies in the browser, by name.
func (b *Browser) Cookies() map[string]string {
	u, _ := url.Parse(b.Site.URL)
	all := map[string]string{}
	for _, c := range b.Client.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "portal-") || strings.HasPrefix(c.Name, "__Host-") {
			all[c.Name] = c.Value
		}
	}
	return all
}

// Cookie returns the name and value of the cookie of one kind: session, csrf, login.
func (b *Browser) Cookie(kind string) (name, value string) {
	for name, value := range b.Cookies() {
		if strings.Contains(name, kind) {
			return name, value
		}
	}
	return "", ""
}

// A Page is an answer, read to its end.
type Page struct {
	URL    string
	Status int
	Header http.Header
	Body   string
}

var problemReason = regexp.MustCompile(`data-reason="([^"]*)"`)

// Reason is why the page is not what was asked for, as its data-reason attribute
// says; "" if it is no page of a problem.
func (p Page) Reason() string {
	if m := problemReason.FindStringSubmatch(p.Body); m != nil {
		return m[1]
	}
	return ""
}

// Has reports whether the page has an element with an id, such as samples, or
// with a class, such as .problem.
func (p Page) Has(idOrClass string) bool {
	selector := "#" + idOrClass
	if strings.HasPrefix(idOrClass, ".") {
		selector = idOrClass
	}
	return p.find("", selector) != ""
}

// Link returns where the first link with an id, such as #samples-next, or with a
// class, such as .login, leads; "" if there is none.
func (p Page) Link(selector string) string { return attribute(p.find("a", selector), "href") }

// Links returns where all such links lead.
func (p Page) Links(selector string) (to []string) {
	for _, tag := range p.findAll("a", selector) {
		to = append(to, attribute(tag, "href"))
	}
	return to
}

var tags = regexp.MustCompile(`<([a-z][a-z0-9]*) [^>]*>`)

// find returns the first tag with an id or a class; element "" is any.
func (p Page) find(element, selector string) string {
	if all := p.findAll(element, selector); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (p Page) findAll(element, selector string) (all []string) {
	name := map[bool]string{true: "class", false: "id"}[selector[0] == '.']
	for _, m := range tags.FindAllStringSubmatch(p.Body, -1) {
		if (element == "" || element == m[1]) && slices.Contains(strings.Fields(attribute(m[0], name)), selector[1:]) {
			all = append(all, m[0])
		}
	}
	return all
}

func attribute(tag, name string) string {
	_, value, _ := strings.Cut(tag, " "+name+`="`)
	value, _, _ = strings.Cut(value, `"`)
	return html.UnescapeString(value)
}

// Send sends one request. Headers are given as name, value, name, value …
func (b *Browser) Send(method, target string, form url.Values, headers ...string) Page {
	b.T.Helper()
	p, err := b.Try(b.T.Context(), method, target, form, headers...)
	if err != nil {
		b.T.Fatal(err)
	}
	return p
}

// Try is Send for requests that may fail, or are cancelled by ctx.
func (b *Browser) Try(ctx context.Context, method, target string, form url.Values, headers ...string) (Page, error) {
	if form == nil {
		return b.try(ctx, method, target, nil, headers)
	}
	mine := []string{"Content-Type", "application/x-www-form-urlencoded", "Origin", b.origin(target)}
	return b.try(ctx, method, target, strings.NewReader(form.Encode()), append(mine, headers...))
}

// SendBody sends a body of any media type, such as JSON, as a script of the site's
// own pages does. Headers are as in Send; X-CSRF-Token is the one that it needs.
func (b *Browser) SendBody(method, target, mediaType string, body io.Reader, headers ...string) Page {
	b.T.Helper()
	mine := []string{"Content-Type", mediaType, "Origin", b.origin(target)}
	p, err := b.try(b.T.Context(), method, target, body, append(mine, headers...))
	if err != nil {
		b.T.Fatal(err)
	}
	return p
}

// Upload sends a form with a file in the field of that name, as a page with
// enctype="multipart/form-data" does: the other fields first, the token before all.
func (b *Browser) Upload(target string, form url.Values, field string, file io.Reader, headers ...string) Page {
	b.T.Helper()
	body, out := io.Pipe()
	w := multipart.NewWriter(out)
	go func() {
		names := slices.Sorted(maps.Keys(form))
		slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(rank(x), rank(y)) })
		var err error
		for _, name := range names {
			for _, value := range form[name] {
				err = cmp.Or(err, w.WriteField(name, value))
			}
		}
		part, failed := w.CreateFormFile(field, "file")
		if err = cmp.Or(err, failed); err == nil {
			_, err = io.Copy(part, file)
		}
		out.CloseWithError(cmp.Or(err, w.Close()))
	}()
	defer body.Close() // if it was answered before it was read
	return b.SendBody(http.MethodPost, target, w.FormDataContentType(), body, headers...)
}

func rank(field string) int {
	if field == "csrf_token" {
		return 0
	}
	return 1
}

func (b *Browser) absolute(target string) string {
	if strings.HasPrefix(target, "/") {
		return b.Site.URL + target
	}
	return target
}

// origin returns what a browser says about a page at the same place as target.
func (b *Browser) origin(target string) string {
	u, err := url.Parse(b.absolute(target))
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (b *Browser) try(ctx context.Context, method, target string, body io.Reader, headers []string) (Page, error) {
	target = b.absolute(target)
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return Page{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	moves.Add(1)
	resp, err := b.Client.Do(req)
	if err != nil {
		return Page{}, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	p := Page{target, resp.StatusCode, resp.Header, string(content)}
	if err == nil {
		b.wantNoMistakes(method, p)
	}
	return p, err
}

// Get sends a GET request, with headers as in Send.
func (b *Browser) Get(target string, headers ...string) Page {
	b.T.Helper()
	return b.Send(http.MethodGet, target, nil, headers...)
}

// Htmx marks a request as one that htmx makes for a fragment.
var Htmx = []string{"HX-Request", "true", "HX-Request-Type", "partial"}

// Follow goes where p redirects to, until there is a page.
func (b *Browser) Follow(p Page) Page {
	b.T.Helper()
	for range 10 {
		location := p.Header.Get("Location")
		if location == "" {
			return p
		}
		base, _ := url.Parse(p.URL)
		next, err := base.Parse(location)
		if err != nil {
			b.T.Fatal(err)
		}
		p = b.Get(next.String())
	}
	b.T.Fatalf("redirected without end; last to %s", p.URL)
	return p
}

// Choose answers the emulator's page: as the person with this key, or "deny".
// It returns the redirect back to the app, not yet followed.
func (b *Browser) Choose(chooser Page, person string) Page {
	b.T.Helper()
	if !strings.HasPrefix(chooser.URL, b.Site.Issuer()) || chooser.Status != http.StatusOK {
		b.T.Fatalf("at %s (%d), want the page to choose a person", chooser.URL, chooser.Status)
	}
	answer := url.Values{"person": {person}}
	if person == "deny" {
		answer = url.Values{"deny": {"1"}}
	}
	return b.Send(http.MethodPost, chooser.URL, answer)
}

// Callback begins a sign-in and returns the URL that Globus sends the browser
// back to, not yet visited.
func (b *Browser) Callback(person string) string {
	b.T.Helper()
	back := b.Choose(b.Follow(b.Get("/login?prompt=login")), person)
	return back.Header.Get("Location")
}

// SignIn signs in and returns the page that the person comes to.
func (b *Browser) SignIn(person string) Page {
	b.T.Helper()
	return b.Follow(b.Get(b.Callback(person)))
}

var csrfField = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

// Token returns the CSRF token of the page, for the header X-CSRF-Token; "" if it
// has none.
func (p Page) Token() string { return p.Form().Get("csrf_token") }

// Form returns the fields of a form on the page: its token and those given as
// name, value, name, value …
func (p Page) Form(fields ...string) url.Values {
	form := url.Values{}
	if m := csrfField.FindStringSubmatch(p.Body); m != nil {
		form.Set("csrf_token", html.UnescapeString(m[1]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

// SignedIn reports whether the browser is signed in, by asking the app.
func (b *Browser) SignedIn() bool {
	b.T.Helper()
	return strings.Contains(b.Get("/visitor", Htmx...).Body, "data-seconds-left")
}

// Raw sends bytes as they are, and reads what comes back to its end.
func (s *Site) Raw(request string) string {
	s.T.Helper()
	conn, err := net.Dial("tcp", s.Server.Listener.Addr().String())
	if err != nil {
		s.T.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		s.T.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 ") {
		s.T.Fatalf("got %q, %v", answer, err)
	}
	return string(answer)
}

// BrokenToken has the token endpoint answer with f.
func BrokenToken(f globustest.Fault) globustest.Lie {
	return globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: f}}
}

// WantAllRevoked signs out, and checks that no token at all is alive then at Globus:
// neither those that were in use, nor those that others took the place of.
func (b *Browser) WantAllRevoked() {
	b.T.Helper()
	b.Send(http.MethodPost, "/logout", b.Get("/").Form())
	if n := b.Site.Globus.LiveTokens(); n > 0 || b.SignedIn() {
		b.T.Errorf("after the sign-out %d tokens are alive", n)
	}
}

// As is the answer to the emulator's page that signs a person in, by their key.
func As(person string) url.Values { return url.Values{"person": {person}} }

// WithMFA is As, with a second factor.
func WithMFA(person string) url.Values { return url.Values{"person": {person}, "mfa": {"1"}} }

// Enter asks for a page, answers Globus's page so, and returns what comes of it.
func (b *Browser) Enter(path string, answer url.Values) Page {
	b.T.Helper()
	chooser := b.Follow(b.Get(path))
	if !strings.HasPrefix(chooser.URL, b.Site.Issuer()) {
		b.T.Fatalf("at %s, want to be asked at Globus", chooser.URL)
	}
	return b.Follow(b.Send(http.MethodPost, chooser.URL, answer))
}

// Carry gives the other site's browser the session of b: the same app on another port.
func (b *Browser) Carry(to *Site) *Browser {
	b.T.Helper()
	_, session := b.Cookie("session")
	other := to.Browser()
	other.Get("/")
	csrf, _ := other.Cookie("csrf")
	address, _ := url.Parse(to.URL)
	other.Client.Jar.SetCookies(address, []*http.Cookie{{Name: strings.Replace(csrf, "csrf", "session", 1), Value: session, Path: "/"}})
	return other
}

// AuthorizeRequest returns what p, a redirect to Globus, asks for there.
func (p Page) AuthorizeRequest(t *testing.T, s *Site) url.Values {
	t.Helper()
	u, err := url.Parse(p.Header.Get("Location"))
	if p.Status != http.StatusSeeOther || err != nil || !strings.HasPrefix(u.String(), s.Issuer()+globustest.AuthorizePath) {
		t.Fatalf("got %d to %q, want a redirect to Globus:\n%s", p.Status, u, p.Body)
	}
	return u.Query()
}

// AtGlobus goes to Globus, does there what is given as name, value …, and
// returns the answer of the callback.
func (b *Browser) AtGlobus(p Page, fields ...string) Page {
	b.T.Helper()
	p = b.Get(p.Header.Get("Location"))
	if p.Status == http.StatusOK { // and does not let them pass as they are
		p = b.Send(http.MethodPost, p.URL, Page{}.Form(fields...))
	}
	return b.Get(p.Header.Get("Location"))
}
