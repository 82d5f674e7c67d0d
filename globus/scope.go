package globus

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

// A Scope is a permission that an app asks a person for, with the scopes of other
// services that it depends on. Its text is the name, with the dependencies in brackets:
// transfer[*data_access].
type Scope struct {
	Name         string // such as openid, or TransferScope
	Optional     bool   // "*": people can withdraw it and keep the scope that depends on it
	Dependencies Scopes // nil: none
}

// Scopes are the scopes of one request. As JSON they are their text.
type Scopes []Scope

// Limits that are far above any real scope.
const (
	maxScopes     = 8 << 10 // bytes of text
	maxScope      = 512     // bytes of a name
	maxScopeDepth = 8
)

var errScope = errors.New("globus: these are no scopes, such as a b[*c d]")

// ParseScopes reads scopes that are separated by blanks; each of texts may hold
// several. What they name more than once is merged. It fails if the brackets do
// not match, a name has a character that no scope may have (RFC 6749, section
// 3.3), a scope depends on itself, or there is too much of it.
func ParseScopes(texts ...string) (Scopes, error) {
	p := scopeParser{rest: strings.Join(texts, " ")}
	if len(p.rest) > maxScopes {
		return nil, errScope
	}
	p.blanks()
	scopes, ok := p.list(nil)
	if !ok || p.rest != "" || scopes.cyclic() {
		return nil, errScope
	}
	return scopes, nil
}

// cyclic reports whether a scope depends on itself through others in ss, as in
// foo[bar] bar[foo].
func (ss Scopes) cyclic() bool {
	needs := map[string][]string{}
	var collect func(Scopes)
	collect = func(list Scopes) {
		for _, s := range list {
			for _, d := range s.Dependencies {
				needs[s.Name] = append(needs[s.Name], d.Name)
			}
			collect(s.Dependencies)
		}
	}
	collect(ss)
	const under, done = 1, 2
	state := map[string]int{}
	var visit func(name string) bool
	visit = func(name string) bool {
		if state[name] != 0 {
			return state[name] == under
		}
		state[name] = under
		defer func() { state[name] = done }()
		return slices.ContainsFunc(needs[name], visit)
	}
	for name := range needs {
		if visit(name) {
			return true
		}
	}
	return false
}

// A scopeParser parses from the left, and holds the rest of the text.
type scopeParser struct{ rest string }

func (p *scopeParser) blanks() (some bool) {
	rest := strings.TrimLeft(p.rest, " ")
	some = len(rest) < len(p.rest)
	p.rest = rest
	return some
}

func (p *scopeParser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// list reads scopes up to a closing bracket or the end. above are the names of
// those that depend on them.
func (p *scopeParser) list(above []string) (list Scopes, ok bool) {
	for p.rest != "" && p.rest[0] != ']' {
		s, ok := p.scope(above)
		if !ok {
			return nil, false
		}
		list = list.with(s)
		if !p.blanks() {
			break
		}
	}
	return list, true
}

func (p *scopeParser) scope(above []string) (s Scope, ok bool) {
	s.Optional = p.take('*')
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !isScopeRune(r) })
	if end < 0 {
		end = len(p.rest)
	}
	s.Name, p.rest = p.rest[:end], p.rest[end:]
	if s.Name == "" || len(s.Name) > maxScope || slices.Contains(above, s.Name) || len(above) > maxScopeDepth {
		return Scope{}, false
	}
	if !p.take('[') {
		return s, true
	}
	p.blanks()
	s.Dependencies, ok = p.list(append(slices.Clone(above), s.Name))
	return s, ok && len(s.Dependencies) > 0 && p.take(']')
}

// isScopeRune reports whether a scope's name may contain r: what RFC 6749 allows except
// Globus's own delimiters.
func isScopeRune(r rune) bool {
	return r > 0x20 && r < 0x7f && !strings.ContainsRune(`"\[]*`, r)
}

// String returns s as an app asks for it.
func (s Scope) String() string {
	text := s.Name
	if s.Optional {
		text = "*" + text
	}
	if len(s.Dependencies) > 0 {
		text += "[" + s.Dependencies.String() + "]"
	}
	return text
}

// Texts returns the scopes one by one, as Config.Scopes takes them.
func (ss Scopes) Texts() []string {
	texts := make([]string, len(ss))
	for i, s := range ss {
		texts[i] = s.String()
	}
	return texts
}

// String returns the scopes as an app asks for them, separated by blanks.
func (ss Scopes) String() string { return strings.Join(ss.Texts(), " ") }

// MarshalText implements encoding.TextMarshaler.
func (ss Scopes) MarshalText() ([]byte, error) { return []byte(ss.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It fails as ParseScopes does.
func (ss *Scopes) UnmarshalText(text []byte) (err error) {
	*ss, err = ParseScopes(string(text))
	return err
}

// Merge returns the union of ss and others: each scope once, with all its dependencies.
// A dependency that is required in one of them and optional in another is required.
func (ss Scopes) Merge(others ...Scopes) Scopes {
	var all Scopes
	for _, list := range append([]Scopes{ss}, others...) {
		for _, s := range list {
			all = all.with(s)
		}
	}
	return all
}

// with returns ss with s merged into it. It may change the elements of ss, but not
// their dependencies.
func (ss Scopes) with(s Scope) Scopes {
	i := slices.IndexFunc(ss, func(other Scope) bool { return other.Name == s.Name })
	if i < 0 {
		return append(ss, s)
	}
	ss[i].Optional = ss[i].Optional && s.Optional
	// A copy, and no Merge: scopes that name each other's dependencies one by one
	// would take as many comparisons as the third power of their number.
	deps := slices.Clone(ss[i].Dependencies)
	for _, d := range s.Dependencies {
		deps = deps.with(d)
	}
	ss[i].Dependencies = deps
	return ss
}

// AuthCodeOption makes Client.AuthCodeURL ask for exactly ss: merge them with the app's
// own scopes, openid included.
func (ss Scopes) AuthCodeOption() oauth2.AuthCodeOption {
	return oauth2.SetAuthURLParam("scope", ss.String())
}
