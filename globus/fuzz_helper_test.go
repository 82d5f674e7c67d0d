package globus_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus"
)

// A canned answer is what every call of a client gets, but for that of the keys.
type canned struct {
	status            int // 0: 200
	contentType, body string
	keys              string // "": the set with the key that all tests sign with
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/jwk.json") {
		c = canned{contentType: "application/json", body: cmp.Or(c.keys, keySetJSON())}
	}
	return &http.Response{
		StatusCode: cmp.Or(c.status, http.StatusOK), ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {c.contentType}},
		Body: io.NopCloser(strings.NewReader(c.body)),
	}, nil
}

var keySetJSON = sync.OnceValue(func() string {
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: signingKey().Public(), Algorithm: "RS512", Use: "sig"}}})
	if err != nil {
		panic(err)
	}
	return string(set)
})

// cannedClient returns a client of the real Globus, which answers as c says.
func cannedClient(t *testing.T, c canned) *globus.Client {
	t.Helper()
	client, err := globus.New(globus.Config{
		ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI, Transport: c,
		Now: func() time.Time { return time.Unix(fuzzNow, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Secrets of the forms that Globus gives them: an access token and a code. A
// fuzz target puts them where its input says TOKEN and CODE.
const (
	secretToken = "AgQ7zk3VwGmWb0aPxNvJyD5eKq1rT8uYoLs2hCdFgHjKl4Zx9cVbnMqWeRtYuIoP5aSd6"
	secretCode  = "hCg0bUlvA2IkcJkIQh2dQXzcWj5q1V"
)

var secrets = strings.NewReplacer("TOKEN", secretToken, "CODE", secretCode)

// checkQuiet wants an error of a call whose text is one line, as it is and in
// every log, and holds no secret.
func checkQuiet(t *testing.T, err error) {
	t.Helper()
	e := asError(t, err)
	var lines bytes.Buffer
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("", "reason", err)
	slog.New(slog.NewTextHandler(&lines, nil)).Info("", "reason", err)
	told := fmt.Sprintf("%v %v\n%s", err, globus.Remedy(err), lines.String())
	for _, secret := range []string{secretToken, secretCode, clientSecret, fuzzNonce + `"`} {
		if strings.Contains(told, secret) {
			t.Errorf("the error tells %q: %s", secret, told)
		}
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return unicode.IsControl(r) || r > '~' }) || len(err.Error()) > 300 {
		t.Errorf("the text of the error is not one plain line: %q", err)
	}
	checkTidy(t, e.Message)
	if e.Requirements != nil {
		checkRequirements(t, e.Requirements)
	}
}

// checkTidy wants text that a page has room for.
func checkTidy(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if utf8.RuneCountInString(s) > 200 || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("got the text %q", s)
		}
	}
}

func checkPlainIdentity(t *testing.T, id globus.Identity) {
	t.Helper()
	checkTidy(t, id.Username, id.Name, id.Email, id.Organization, id.Provider, id.ProviderName)
	if id.Subject == "" || len(id.Subject) > 255 || strings.ContainsFunc(id.Subject, func(r rune) bool { return r < '!' || r > '~' }) {
		t.Errorf("got the subject %q", id.Subject)
	}
	checkLinked(t, id.Linked)
	if set, err := json.Marshal(id); err != nil || len(set) > 32<<10 {
		t.Errorf("as JSON it has %d bytes, %v", len(set), err)
	}
}

func checkLinked(t *testing.T, linked []globus.LinkedIdentity) {
	t.Helper()
	if len(linked) > 50 {
		t.Errorf("got %d linked identities", len(linked))
	}
	for _, l := range linked {
		checkTidy(t, l.Subject, l.Username, l.Name, l.Email, l.Organization, l.Provider, l.ProviderName)
	}
}
