package session

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"example.org/portal/globus"
)

// A recordReader reads what codec.Encode writes, member by member and in the same order.
// That takes a quarter of the time of encoding/json/v2. It fails at anything else, such
// as a member that another version of the app has added. Decode uses encoding/json/v2
// then, which alone decides what a record is.
type recordReader struct {
	text   string // of which the record's strings are parts
	at     int
	failed bool
}

// readRecord returns a record and its deadline, or false if the reader fails.
func readRecord(b []byte) (time.Time, *Record, bool) {
	r := recordReader{text: string(b), failed: !utf8.Valid(b)}
	rec := &Record{}
	r.must(`{"version":`)
	r.must(strconv.Itoa(recordVersion))
	deadline := r.time(`,"deadline":`)
	r.must(`,"record":`)
	rec.Identity = globus.Identity{
		Subject:      r.string(`{"identity":{"sub":`),
		Username:     r.string(`,"preferred_username":`),
		Name:         r.string(`,"name":`),
		Email:        r.string(`,"email":`),
		Organization: r.string(`,"organization":`),
		Provider:     r.string(`,"identity_provider":`),
		ProviderName: r.string(`,"identity_provider_display_name":`),
		Linked:       r.linked(`,"identity_set":`),
	}
	rec.Tokens = r.tokens(`},"tokens":`)
	rec.Replaced = r.optionalStrings(`,"replaced":`)
	rec.Began = r.time(`,"began":`)
	rec.Facts = globus.Facts{
		Subject:         r.string(`,"facts":{"sub":`),
		Authentications: r.authentications(`,"authentications":`),
		SessionAsked:    r.optionalTime(`,"session_asked":`),
		Groups:          r.groups(`,"groups":`),
		GroupsAsked:     r.optionalTime(`,"groups_asked":`),
	}
	r.must(`}}}`)
	return deadline, rec, !r.failed && r.at == len(r.text)
}

func (r *recordReader) linked(name string) []globus.LinkedIdentity {
	r.must(name)
	if r.take("null") {
		return nil
	}
	all := make([]globus.LinkedIdentity, 0, strings.Count(r.text[r.at:], `{"sub":`))
	for range r.list("[", "]") {
		all = append(all, globus.LinkedIdentity{
			Subject:      r.string(`{"sub":`),
			Username:     r.string(`,"username":`),
			Name:         r.string(`,"name":`),
			Email:        r.string(`,"email":`),
			Organization: r.string(`,"organization":`),
			Provider:     r.string(`,"identity_provider":`),
			ProviderName: r.string(`,"identity_provider_display_name":`),
		})
		r.must("}")
	}
	return all
}

func (r *recordReader) tokens(name string) globus.Tokens {
	r.must(name)
	if r.take("null") {
		return nil
	}
	all := globus.Tokens{}
	for range r.list("{", "}") {
		server := r.string("")
		if _, again := all[server]; again {
			r.failed = true
		}
		all[server] = globus.Token{
			AccessToken:  r.string(`:{"access_token":`),
			RefreshToken: r.optionalString(`,"refresh_token":`),
			Expiry:       r.time(`,"expiry":`),
			Scopes:       r.strings(`,"scopes":`),
		}
		r.must("}")
	}
	return all
}

func (r *recordReader) authentications(name string) []globus.Authentication {
	if !r.take(name) {
		return nil
	}
	all := []globus.Authentication{}
	for range r.list("[", "]") {
		all = append(all, globus.Authentication{
			Identity:     r.string(`{"identity":`),
			Username:     r.optionalString(`,"username":`),
			Provider:     r.optionalString(`,"provider":`),
			ProviderName: r.optionalString(`,"provider_name":`),
			Time:         r.optionalTime(`,"time":`),
			ACR:          r.optionalString(`,"acr":`),
			AMR:          r.optionalStrings(`,"amr":`),
		})
		r.must("}")
	}
	return all
}

func (r *recordReader) groups(name string) map[string]globus.MembershipStatus {
	if !r.take(name) {
		return nil
	}
	all := map[string]globus.MembershipStatus{}
	for range r.list("{", "}") {
		id := r.string("")
		if _, again := all[id]; again {
			r.failed = true
		}
		all[id] = globus.MembershipStatus(r.string(":"))
	}
	return all
}

// take reports whether s is next, and reads it.
func (r *recordReader) take(s string) bool {
	if r.failed || !strings.HasPrefix(r.text[r.at:], s) {
		return false
	}
	r.at += len(s)
	return true
}

func (r *recordReader) must(s string) {
	if !r.take(s) {
		r.failed = true
	}
}

// list yields for each element of an array, or member of an object.
func (r *recordReader) list(begin, end string) func(yield func() bool) {
	return func(yield func() bool) {
		r.must(begin)
		if r.take(end) {
			return
		}
		for !r.failed && yield() && !r.take(end) {
			r.must(",")
		}
	}
}

// string reads the string after name.
func (r *recordReader) string(name string) string {
	r.must(name)
	r.must(`"`)
	begin, end, escaped := r.at, r.at, false
	for ; end < len(r.text) && r.text[end] != '"' && r.text[end] >= ' '; end++ {
		if r.text[end] == '\\' {
			escaped = true
			end++
		}
	}
	r.at = min(end, len(r.text))
	r.must(`"`)
	switch {
	case r.failed:
		return ""
	case !escaped:
		return r.text[begin:end]
	}
	b, err := jsontext.AppendUnquote(nil, r.text[begin-1:end+1])
	r.failed = err != nil
	return string(b)
}

func (r *recordReader) optionalString(name string) string {
	if r.take(name) {
		return r.string("")
	}
	return ""
}

func (r *recordReader) strings(name string) []string {
	r.must(name)
	if r.take("null") {
		return nil
	}
	all := []string{}
	for range r.list("[", "]") {
		all = append(all, r.string(""))
	}
	return all
}

func (r *recordReader) optionalStrings(name string) []string {
	if r.take(name) {
		return r.strings("")
	}
	return nil
}

func (r *recordReader) time(name string) time.Time {
	text := r.string(name)
	t, _ := time.Parse(time.RFC3339, text) // which also reads what nobody writes
	var written [len(time.RFC3339Nano)]byte
	if b, err := t.AppendText(written[:0]); err != nil || string(b) != text {
		r.failed = true
	}
	return t
}

func (r *recordReader) optionalTime(name string) time.Time {
	if r.take(name) {
		return r.time("")
	}
	return time.Time{}
}
