package globustest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

func decode(t *testing.T, part string) map[string]any {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	var obj map[string]any
	if err := json.Unmarshal(data, &obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

// Every way to sign but the first is refused by a verifier that is right, and is
// what it says it is.
func TestLieSigning(t *testing.T) {
	der, err := x509.MarshalPKIXPublicKey(sharedKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	tests := []struct {
		name    string
		signing globustest.Signing
		wantAlg string
		hash    func() hash.Hash // of the HMAC; nil: none
		key     []byte
	}{
		{"RS256", globustest.RS256, "RS256", nil, nil},
		{"unsigned", globustest.Unsigned, "none", nil, nil},
		{"HS256", globustest.HS256WithSecret, "HS256", sha256.New, []byte(secret)},
		{"HS512", globustest.HS512WithSecret, "HS512", sha512.New, []byte(secret)},
		{"HS512 with the public key", globustest.HS512WithPublicKey, "HS512", sha512.New, public},
		{"broken", globustest.BrokenSignature, "RS512", nil, nil},
		{"foreign", globustest.ForeignKey, "RS512", nil, nil},
	}
	f := newFlow(t, globustest.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.Lie(globustest.Lie{Signing: tt.signing})
			granted := f.signIn(request())
			idToken := str(granted["id_token"])
			if _, err := f.verified(idToken); err == nil {
				t.Error("the lie verifies")
			}
			parts := strings.Split(idToken, ".")
			if got := decode(t, parts[0])["alg"]; got != tt.wantAlg {
				t.Errorf("got alg %v, want %s", got, tt.wantAlg)
			}
			h := sha512.New()
			if strings.HasSuffix(tt.wantAlg, "256") {
				h = sha256.New()
			}
			if got, want := decode(t, parts[1])["at_hash"], halfHash(h, str(granted["access_token"])); got != want {
				t.Errorf("got at_hash %v, want %s: of the alg", got, want)
			}
			if got := parts[2] == ""; got != (tt.signing == globustest.Unsigned) {
				t.Errorf("got an empty signature: %t", got)
			}
			if tt.hash == nil {
				return
			}
			mac := hmac.New(tt.hash, tt.key)
			io.WriteString(mac, parts[0]+"."+parts[1])
			if want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil)); parts[2] != want {
				t.Errorf("got signature %s, want %s", parts[2], want)
			}
		})
	}
	f.Lie(globustest.Lie{})
	if _, err := f.verified(str(f.signIn(request())["id_token"])); err != nil {
		t.Errorf("honest again: %v", err)
	}
}

func halfHash(h hash.Hash, text string) string {
	io.WriteString(h, text)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:h.Size()/2])
}

func TestLieEdits(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	f.Lie(globustest.Lie{
		Claims:    globustest.Edit{Set: map[string]any{"aud": []string{"a", "b"}, "sub": nil}, Drop: []string{"nonce"}},
		Header:    globustest.Edit{Set: map[string]any{"kid": "k"}, Drop: []string{"typ"}},
		Token:     globustest.Edit{Set: map[string]any{"expires_in": "soon"}, Drop: []string{"other_tokens"}},
		UserInfo:  globustest.Edit{Set: map[string]any{"sub": 7}, Drop: []string{"name"}},
		ExtraKeys: []json.Marshaler{json.RawMessage(`{"kty":"EC","crv":"P-999"}`)},
	})
	granted := f.signIn(request())
	if _, ok := granted["other_tokens"]; ok || granted["expires_in"] != "soon" {
		t.Errorf("got %v, want expires_in changed and other_tokens gone", granted)
	}
	parts := strings.Split(str(granted["id_token"]), ".")
	if got := decode(t, parts[0]); len(got) != 2 || got["kid"] != "k" {
		t.Errorf("got header %v, want kid and no typ", got)
	}
	claims := decode(t, parts[1])
	_, hasNonce := claims["nonce"]
	sub, hasSub := claims["sub"]
	if aud, _ := claims["aud"].([]any); len(aud) != 2 || hasNonce || !hasSub || sub != nil {
		t.Errorf("got claims %v, want two aud, sub null and no nonce", claims)
	}
	info := f.userInfo(str(granted["access_token"])).json
	if _, ok := info["name"]; ok || info["sub"] != 7.0 {
		t.Errorf("got userinfo %v, want sub 7 and no name", info)
	}
	keys, _ := f.get(globustest.KeysPath).json["keys"].([]any)
	if len(keys) != 2 || keys[0].(map[string]any)["crv"] != "P-999" {
		t.Errorf("got keys %v, want the extra one first", keys)
	}

	f.Lie(globustest.Lie{Payload: `["not","an","object"]`})
	payload := strings.Split(str(f.signIn(request())["id_token"]), ".")[1]
	if got, _ := base64.RawURLEncoding.DecodeString(payload); string(got) != `["not","an","object"]` {
		t.Errorf("got payload %s", got)
	}
}

func TestLieAboutNoEndpoint(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	defer func() {
		if recover() == nil {
			t.Error("a lie about an unknown path is accepted")
		}
	}()
	f.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{"/token": {Status: 500}}})
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name       string
		fault      globustest.Fault
		wantStatus int
		want       string
		wantHeader string // Location
	}{
		{"status", globustest.Fault{Status: 503}, 503, "", ""},
		{"body alone", globustest.Fault{Body: "<html>"}, 200, "<html>", ""},
		{"redirect", globustest.Fault{Status: 307, Header: http.Header{"Location": {"http://x.example/"}}}, 307, "", "http://x.example/"},
	}
	f := newFlow(t, globustest.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := f.Requests(globustest.DiscoveryPath)
			f.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.DiscoveryPath: tt.fault}})
			res, err := f.browser.Get(f.URL + globustest.DiscoveryPath)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != tt.wantStatus || string(body) != tt.want || res.Header.Get("Location") != tt.wantHeader {
				t.Errorf("got %d %q %v", res.StatusCode, body, res.Header)
			}
			if got := f.Requests(globustest.DiscoveryPath) - before; got != 1 {
				t.Errorf("got %d requests counted, want 1", got)
			}
		})
	}
}

func fault(path string, x globustest.Fault) globustest.Lie {
	return globustest.Lie{Endpoints: map[string]globustest.Fault{path: x}}
}

func TestFaultHangUp(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	code := f.code(request())
	f.Lie(fault(globustest.TokenPath, globustest.Fault{HangUp: true, After: true}))
	if res, err := http.PostForm(f.URL+globustest.TokenPath, exchange(code)); err == nil {
		res.Body.Close()
		t.Errorf("got %s, want no answer", res.Status)
	}
	if f.LiveTokens() == 0 {
		t.Error("with After, the code is not exchanged")
	}
}

func TestFaultEndless(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	f.Lie(fault(globustest.KeysPath, globustest.Fault{Endless: true, Body: "ab"}))
	res, err := http.Get(f.URL + globustest.KeysPath)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.CopyN(io.Discard, res.Body, 8<<20); err != nil {
		t.Errorf("ended after %d bytes: %v", n, err)
	}
}

func TestFaultWait(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	arrived, wait := make(chan struct{}), make(chan struct{})
	f.Lie(fault(globustest.TokenPath, globustest.Fault{Arrived: arrived, Wait: wait}))

	form := exchange(f.code(request()))
	status := make(chan int)
	go func() {
		res, err := http.PostForm(f.URL+globustest.TokenPath, form)
		if err != nil {
			status <- 0
			return
		}
		res.Body.Close()
		status <- res.StatusCode
	}()
	<-arrived
	if r := f.get(globustest.DiscoveryPath); r.status != 200 {
		t.Errorf("another endpoint: got %d, want 200", r.status)
	}
	close(wait)
	if got := <-status; got != 200 {
		t.Errorf("let go: got %d, want 200", got)
	}
}

// A client that gives up, or a server that is closed, ends the wait. If not,
// this test hangs.
func TestFaultWaitEnds(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	arrived := make(chan struct{})
	f.Lie(fault(globustest.TokenPath, globustest.Fault{Arrived: arrived, Wait: make(chan struct{})}))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	post := func(ctx context.Context) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL+globustest.TokenPath, strings.NewReader("a=b"))
		if err == nil {
			_, err = f.browser.Do(req)
		}
		failed <- err
	}
	go post(ctx)
	<-arrived
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	go post(t.Context())
	<-arrived
	go f.Close()
	if err := <-failed; err == nil {
		t.Error("a closed server answers")
	}
}
