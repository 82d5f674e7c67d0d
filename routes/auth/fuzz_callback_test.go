package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
)

// The attempt that the browser of a fuzz target has begun. Its secrets are of the
// forms that they always have; CODE in an input stands for a code.
var begun = globus.Attempt{State: "ABCDEFGHIJKLMNOPQRSTUVWX23", Nonce: "BCDEFGHIJKLMNOPQRSTUVWXY23", Verifier: "verifier7-canary-of-forty-three-characters-a"}

const code = "hCg0bUlvA2IkcJkIQh2dQXzcWj5q1V"

// FuzzCallback: a code is redeemed, once, if the query has that one code, no
// error, the state of an attempt that this browser has begun, and no other
// issuer; whatever comes instead signs nobody in and is not repeated.
func FuzzCallback(f *testing.F) {
	const good = "code=CODE&state=STATE"
	for _, query := range []string{
		good, good + "&iss=https://auth.globus.org", good + "&iss=https%3A%2F%2Fauth.globus.org", good + "&iss=https://evil.example", good + "&iss=", good + "&code=CODE", good + "&state=STATE", good + "&error=access_denied",
		"state=STATE&error=access_denied", "state=STATE&error=CODE", "error=x&error=y&state=STATE", "code=&state=STATE", "code=CODE", "code=CODE&state=", "state=STATE", "code=CODE&state=other", "code=CODE;state=STATE", "code=CODE&state=STATE;x",
		"c%6fde=CODE&stat%65=STATE", "code=CODE&c%6fde=CODE&state=STATE", "CODE=x&state=STATE", "code[]=CODE&state=STATE", "code=CODE%0d%0aX:y&state=STATE", "code=%00&state=STATE", "code=%zz&state=STATE", "code=é&state=STATE", "code=\xff&state=STATE",
		good + "&next=//evil.example", good + "&session_state=x&scope=openid", good + "&id_token=CODE", good + "#x", good + "&" + strings.Repeat("a=b&", 1000), good + "&x=%s%n", good + "&prompt=login&again=1", "", "next=/user", "prompt=login", "prompt=none", "next=//evil.example&next=/",
	} {
		f.Add(query, "")
	}
	for _, cookie := range []string{"NONE", "x=y", "LOGIN; LOGIN", "x; LOGIN", "LOGIN2", strings.Repeat("a=b; ", 600) + "LOGIN", `"LOGIN"`} {
		f.Add(good, cookie)
	}
	wire := &routestest.Wire{Status: http.StatusBadRequest, Body: `{"error":"invalid_grant","error_description":"` + code + `"}`}
	a, log := routestest.Offline(f, "https://portal.example.edu", wire)
	f.Fuzz(func(t *testing.T, query, cookies string) {
		a.Auth.ForgetOutcomes() // or a code would be good once for all inputs
		wire.Asked, wire.Forms = nil, nil
		log.Reset()
		answer := httptest.NewRecorder()
		if err := a.Auth.SetAttempt(answer, &http.Request{Header: http.Header{}}, begun, "/user", routestest.OfflineNow); err != nil {
			t.Fatal(err)
		}
		cookie := answer.Result().Cookies()[0]
		name, value := cookie.Name, cookie.Value
		query = strings.NewReplacer("CODE", code, "STATE", begun.State).Replace(query)
		if cookies == "" {
			cookies = "LOGIN"
		}
		r := &http.Request{
			Method: http.MethodGet, URL: &url.URL{Path: "/login", RawQuery: query}, Host: "portal.example.edu", RequestURI: "/login?" + query,
			Header: http.Header{"Cookie": {strings.ReplaceAll(cookies, "LOGIN", name+"="+value)}}, RemoteAddr: "127.0.0.1:1",
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r.WithContext(t.Context()))

		redeemed := slices.DeleteFunc(wire.Forms, func(form url.Values) bool { return form.Get("grant_type") != "authorization_code" })
		if want := redeemable(query) && w.Code != http.StatusTooManyRequests; len(redeemed) > 1 || len(redeemed) == 1 && !want {
			t.Errorf("%q, %q: redeemed %d times, want it: %t", query, cookies, len(redeemed), want)
		} else if cookies == "LOGIN" && want && len(redeemed) == 0 {
			t.Errorf("%q is not redeemed: %d\n%s", query, w.Code, log)
		}
		for _, form := range redeemed {
			if form.Get("code_verifier") != begun.Verifier || form.Get("redirect_uri") != "https://portal.example.edu/login" || len(form) != 6 {
				t.Errorf("it is redeemed with %v", form)
			}
		}
		routestest.CheckAnswer(t, w, log.String(), code, begun.Nonce, begun.Verifier)
		for _, c := range w.Result().Cookies() {
			if strings.Contains(c.Name, "session") && c.MaxAge >= 0 {
				t.Errorf("%q: somebody is signed in: %s", query, c)
			}
		}
	})
}

// redeemable says what a query must be for its code to be redeemed, by hand.
func redeemable(query string) bool {
	found := map[string][]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		plainName, err := url.QueryUnescape(name)
		plain, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil || strings.Contains(pair, ";") {
			return false
		}
		if pair != "" {
			found[plainName] = append(found[plainName], plain)
		}
	}
	for _, name := range []string{"code", "state", "iss", "error", "error_description", "next", "prompt", "again"} {
		if len(found[name]) > 1 {
			return false
		}
	}
	printable := func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) }
	return len(query) <= 4<<10 && len(found["code"]) == 1 && found["code"][0] != "" && printable(found["code"][0]) && found["error"] == nil &&
		slices.Equal(found["state"], []string{begun.State}) && (found["iss"] == nil || found["iss"][0] == globus.Issuer)
}
