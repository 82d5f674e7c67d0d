package globustest

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A state is what outlives the process, and the file that keeps it. Its maps
// have hashes for keys: of a cookie, of a token. What a browser or an app holds
// is itself kept nowhere.
type state struct {
	Key      jose.JSONWebKey    `json:"key"`
	Sessions map[string]session `json:"sessions"`
	Tokens   map[string]token   `json:"tokens"`

	// Consents are what people have allowed apps, by person and app.
	Consents map[string]map[string][]consent `json:"consented"`

	file string // empty: memory alone
}

// A session is a browser's single sign-on session.
type session struct {
	Person string    `json:"person"`
	Began  time.Time `json:"began"`

	// Used is what the person did to sign in, by app and identity. An app that
	// let them pass without has no entry.
	Used map[string]map[string]authentication `json:"used,omitempty"`
}

func (s session) live(now time.Time) bool { return now.Before(s.Began.Add(sessionLifetime)) }

// A token is an access or refresh token that was given out.
type token struct {
	Grant          grant     `json:"grant"`
	ResourceServer string    `json:"resource_server"`
	Scopes         []string  `json:"scopes"`
	Refresh        bool      `json:"refresh,omitempty"`
	Expiry         time.Time `json:"expiry"`
}

// A grant is what a person allowed an app in one sign-in. A code stands for it,
// and every token that comes of the code carries it on.
type grant struct {
	CodeHash      string    `json:"code_hash"` // tells the tokens of a code that is used again
	ClientID      string    `json:"client_id"`
	Person        string    `json:"person"`
	Authenticated time.Time `json:"authenticated"`

	Used map[string]authentication `json:"used,omitempty"` // as in session, for the app

	// Of a dependent token, which a resource server got for one that it was called
	// with: the app that the person allowed it, and the scopes that it came by.
	RootID string   `json:"root_id,omitempty"` // empty: ClientID
	Above  []string `json:"above,omitempty"`
}

// root is the app that the person has allowed what the token is for.
func (g grant) root() string { return cmp.Or(g.RootID, g.ClientID) }

// A consent is a scope that a person has allowed an app, by itself or for another
// scope that needs it.
type consent struct {
	Path     []string  `json:"path"` // names of scopes, from the outermost
	Optional bool      `json:"optional,omitempty"`
	Refresh  bool      `json:"refresh,omitempty"` // the app may have refresh tokens
	Created  time.Time `json:"created"`
}

// allows reports whether a person has allowed an app a scope, which is at the end
// of path.
func (s *state) allows(person, clientID string, path ...string) bool {
	return slices.ContainsFunc(s.Consents[person][clientID], func(c consent) bool { return slices.Equal(c.Path, path) })
}

// allow adds a consent, if it is not there.
func (s *state) allow(person, clientID string, c consent) {
	if s.Consents[person] == nil {
		s.Consents[person] = map[string][]consent{}
	}
	all := s.Consents[person][clientID]
	i := slices.IndexFunc(all, func(old consent) bool { return slices.Equal(old.Path, c.Path) })
	if i < 0 {
		s.Consents[person][clientID] = append(all, c)
		return
	}
	all[i].Refresh = all[i].Refresh || c.Refresh
}

// openState reads file, or makes it. The signing key is key if that is given,
// else the one in the file, else a new one.
func openState(file string, key *rsa.PrivateKey) (*state, error) {
	s := &state{Sessions: map[string]session{}, Tokens: map[string]token{}, Consents: map[string]map[string][]consent{}, file: file}
	if err := s.load(); err != nil {
		return nil, err
	}
	if key != nil {
		s.Key = jose.JSONWebKey{Key: key}
	}
	if s.Key.Key == nil {
		s.Key = jose.JSONWebKey{Key: newKey()}
	}
	if _, ok := s.Key.Key.(*rsa.PrivateKey); !ok {
		return nil, errors.New("its key is not an RSA private key")
	}
	return s, s.save()
}

func (s *state) load() error {
	if s.file == "" {
		return nil
	}
	data, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, s); err != nil {
		return err
	}
	if s.Consents == nil { // a file of before there were any
		s.Consents = map[string]map[string][]consent{}
	}
	if s.Key.Key == nil || s.Sessions == nil || s.Tokens == nil {
		return errors.New("it is incomplete")
	}
	return nil
}

// save puts a whole new file in the place of the old one, so that whoever opens
// it, after a crash too, finds the one or the other.
func (s *state) save() error {
	if s.file == "" {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	dir := filepath.Dir(s.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, filepath.Base(s.file)+".*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails once it is renamed
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), s.file)
}

// sweep drops what has ended.
func (s *state) sweep(now time.Time) {
	maps.DeleteFunc(s.Tokens, func(_ string, t token) bool { return !now.Before(t.Expiry) })
	maps.DeleteFunc(s.Sessions, func(_ string, sso session) bool { return !sso.live(now) })
}

func (s *state) signingKey() *rsa.PrivateKey { return s.Key.Key.(*rsa.PrivateKey) }

// fingerprint is how a secret is looked up without being kept.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// randomText returns n random letters and digits.
func randomText(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, 0, n)
	var b [1]byte
	for len(text) < n {
		rand.Read(b[:])
		if int(b[0]) < 256/len(alphabet)*len(alphabet) { // else some were likelier
			text = append(text, alphabet[int(b[0])%len(alphabet)])
		}
	}
	return string(text)
}
