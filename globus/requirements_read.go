package globus

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Limits of a requirements error. What exceeds them is left out.
const (
	maxRequirements     = 256 << 10 // bytes of body; one that is longer is not read
	maxRequirementsNest = 4         // lists and objects within one another
	maxRequired         = 50        // entries of a list
	maxRequiredText     = 2600      // bytes of one parameter of an authorization request; all of its address has some 8 KiB
)

// ReadRequirements returns the requirements in the body of an error response of any
// service, whatever its status: Transfer sends them with 502, too. It reads the form that
// Globus documents, and older ones: required_scopes or required_scope with a code,
// unapproved_scopes, lists written as text with commas, any of them within errors, error
// or detail, or in the message of a collection's server. Of several requirements it
// returns the first. It leaves out what has the wrong form; if nothing is left, there are
// no requirements.
func ReadRequirements(body []byte) (*Requirements, bool) {
	if len(body) > maxRequirements {
		return nil, false
	}
	r := findRequirements(body, maxRequirementsNest)
	return r, r != nil
}

// findRequirements searches an object, then the objects in it; of a list, each entry.
func findRequirements(raw json.RawMessage, nest int) *Requirements {
	if nest < 0 {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, one := range list[:min(len(list), maxRequired)] {
			if r := findRequirements(one, nest-1); r != nil {
				return r
			}
		}
		return nil
	}
	var doc errorDocument
	if json.Unmarshal(raw, &doc) != nil {
		return nil
	}
	if r := doc.requirements(); r.asks() {
		return r
	}
	for _, within := range []json.RawMessage{doc["errors"], doc["error"], doc["detail"], gridFTPResult(doc.text("message"))} {
		if r := findRequirements(within, nest-1); r != nil {
			return r
		}
	}
	return nil
}

// gridFTPResult returns the object in the message of a collection's server. For a
// collection with rules of its own, there may be no other source of them.
func gridFTPResult(message string) (result json.RawMessage) {
	if _, text, ok := strings.Cut(message, "530-GridFTP-JSON-Result: "); ok {
		_ = json.NewDecoder(strings.NewReader(text)).Decode(&result)
	}
	return result
}

// An errorDocument is an object in an error response. A member that is missing or of
// another type is empty.
type errorDocument map[string]json.RawMessage

// parseErrorDocument parses an object; anything else has no members.
func parseErrorDocument(raw []byte) (d errorDocument) {
	_ = json.Unmarshal(raw, &d)
	return d
}

// object returns a member that is an object.
func (d errorDocument) object(name string) errorDocument { return parseErrorDocument(d[name]) }

func (d errorDocument) requirements() *Requirements {
	var params errorDocument
	_ = json.Unmarshal(d["authorization_parameters"], &params)
	message := cmp.Or(d.text("message"), d.text("description"), d.text("detail"), d.text("error_description"))
	r := &Requirements{
		Code:           ErrorCode(cmp.Or(d.text("code"), d.text("error"))),
		Message:        tidy(message),
		Identities:     params.list(paramIdentities, identityName),
		Policies:       params.list(paramPolicies, lowerUUID),
		Domains:        params.list(paramDomains, lowerDomain),
		SessionMessage: tidy(params.text(paramMessage)),
	}
	if strings.HasPrefix(d.text("DATA_TYPE"), "not_from_allowed_domain#") { // of a server that knows no parameters
		r.Domains = d.list("allowed_domains", lowerDomain)
	}
	_ = json.Unmarshal(params[paramMFA], &r.MFA)
	if params.text("prompt") == "login" { // "none" would keep the person from doing anything
		r.Prompt = "login"
	}
	r.Scopes = params.scopes("required_scopes").add(d.consent())
	if strings.EqualFold(r.Code, "dependent_consent_required") {
		r.Code = consentRequired
	}
	if r.Code == "" {
		r.Code = "AuthorizationRequired"
	}
	return r
}

const consentRequired = "ConsentRequired"

// consent returns the scopes in the older forms. They count only with a code that says
// that consent is required.
func (d errorDocument) consent() Scopes {
	code := cmp.Or(d.text("code"), d.text("error"))
	switch {
	case strings.HasSuffix(code, consentRequired):
		return d.scopes("required_scopes").add(d.scopes("required_scope"))
	case strings.EqualFold(code, "dependent_consent_required"):
		all := d.scopes("unapproved_scopes")
		var errs []errorDocument
		_ = json.Unmarshal(d["errors"], &errs)
		for _, e := range errs[:min(len(errs), maxRequired)] {
			all = all.add(e.scopes("unapproved_scopes"))
		}
		return all
	}
	return nil
}

func (d errorDocument) text(name string) (s string) {
	_ = json.Unmarshal(d[name], &s)
	return s
}

// texts returns a list of texts, or one text as a list.
func (d errorDocument) texts(name string) []string {
	var entries []json.RawMessage
	if err := json.Unmarshal(d[name], &entries); err != nil {
		return []string{d.text(name)}
	}
	var texts []string
	for _, raw := range entries[:min(len(entries), maxRequired)] {
		var s string
		_ = json.Unmarshal(raw, &s)
		texts = append(texts, s)
	}
	return texts
}

// list reads a list, or a text with commas, and returns what form returns for each
// entry, without duplicates.
func (d errorDocument) list(name string, form func(string) string) []string {
	var list []string
	size := 0
	for _, text := range d.texts(name) {
		for s := range strings.SplitSeq(text, ",") {
			s = form(strings.TrimSpace(s))
			if s == "" || slices.Contains(list, s) {
				continue
			}
			if size += len(s) + 1; size > maxRequiredText || len(list) == maxRequired {
				return list
			}
			list = append(list, s)
		}
	}
	return list
}

// scopes reads a list of scopes, or a text with scopes.
func (d errorDocument) scopes(name string) (all Scopes) {
	for _, text := range d.texts(name) {
		if scopes, err := ParseScopes(cutScopes(text)); err == nil {
			all = all.add(scopes)
		}
	}
	return all
}

// add merges more into ss, unless a scope would then depend on itself. It adds as many as
// fit into a URL; the service requires the others next.
func (ss Scopes) add(more Scopes) Scopes {
	all := ss.Merge(more)
	if all.cyclic() {
		return ss
	}
	return all.cut(maxRequiredText)
}

// cutScopes returns the beginning of a text of scopes that ParseScopes accepts.
func cutScopes(text string) string {
	if len(text) <= maxScopes {
		return text
	}
	text = text[:maxScopes-maxScopeDepth]
	text = strings.TrimRight(text[:strings.LastIndexAny(text, " ]")+1], " ")
	return text + strings.Repeat("]", max(0, strings.Count(text, "[")-strings.Count(text, "]")))
}

// cut returns ss without the last scopes or dependencies, so that their text has at most
// max bytes.
func (ss Scopes) cut(max int) Scopes {
	ss = slices.Clone(ss)
	for size := len(ss.String()); size > max && len(ss) > 0; {
		last := &ss[len(ss)-1]
		if n := len(last.Dependencies); n > 1 {
			size -= len(last.Dependencies[n-1].String()) + 1 // and the blank before it
			last.Dependencies = last.Dependencies[:n-1]
		} else {
			size -= len(last.String()) + 1
			ss = ss[:len(ss)-1]
		}
	}
	return ss
}
