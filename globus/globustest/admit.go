package globustest

import (
	"net/http"
	"slices"
	"strings"
)

// An operation is what an app wants to do with files, in the words of Transfer's
// error codes.
type operation string

const (
	listing  operation = "DirListing"
	making   operation = "Mkdir"
	renaming operation = "Rename"
	looking  operation = "Stat"
)

// failed returns the error that a collection itself answers with.
func (op operation) failed(r *http.Request, p *place, reason, message string) *refusal {
	text := "Command Failed: Error (" + strings.ToLower(string(op)) + ")\nEndpoint: " + p.Name + "\nMessage: " + message + "\n---\nDetails: 500-Command failed. : " + message
	return transferRefusal(r, http.StatusBadGateway, "ExternalError."+string(op)+"Failed."+reason, text)
}

// enter finds a collection, and says what it wants first of the person or the app.
// It needs e.mu.
func (e *Emulator) enter(r *http.Request, id string, g grant, op operation) (*place, error) {
	p, err := e.open(r, id)
	if err != nil {
		return nil, err
	}
	if err := e.admit(r, p, g); err != nil {
		return nil, err
	}
	person, _ := e.person(g.Person)
	switch {
	case p.Offline && p.personal():
		return nil, op.failed(r, p, "GCDisconnected", "The GCP endpoint is not currently connected to Globus")
	case p.Offline:
		return nil, op.failed(r, p, "ConnectFailed", "Could not connect to server")
	case p.Paused != "":
		return nil, transferRefusal(r, http.StatusConflict, "OperationPaused", "The collection is paused: "+p.Paused)
	case p.NoAccount:
		return nil, op.failed(r, p, "LoginFailed", "No local account for your identities")
	case !p.requirement().metBy(person, g.Used):
		refused := op.failed(r, p, "LoginFailed", "Error (login)")
		refused.body["authorization_parameters"] = p.parameters()
		return nil, refused
	}
	e.remember(g.Person, p.ID)
	return p, nil
}

// admit says which consent is missing, or role. What the person allows the app
// counts for all of its tokens, those that it has included: globus/globus-cli
// repeats a request with the token that it had.
func (e *Emulator) admit(r *http.Request, p *place, g grant) error {
	if !p.mayUse(g.Person) {
		return transferRefusal(r, http.StatusForbidden, "PermissionDenied", "You do not have permission to use "+p.Name)
	}
	if e.lacksConsent(p, g) {
		return consentRefusal(r, p)
	}
	return nil
}

func (e *Emulator) lacksConsent(p *place, g grant) bool {
	path := slices.Concat(g.Above, []string{transferScope, p.dataAccess()})
	return p.DataAccess && !e.state.allows(g.Person, g.root(), path...)
}

func consentRefusal(r *http.Request, p *place) *refusal {
	refused := transferRefusal(r, http.StatusForbidden, "ConsentRequired", "Missing required data_access consent")
	refused.body["required_scopes"] = []string{transferScope + "[*" + p.dataAccess() + "]"}
	return refused
}

func (c Collection) requirement() requirement { return requirement{Domains: c.Domains, MFA: c.MFA} }

// parameters are those of an authorization request that meets the requirement. The
// lists that ask for nothing are there, and empty.
func (c Collection) parameters() map[string]any {
	return map[string]any{
		"session_message":                c.Name + " asks who you are",
		"session_required_identities":    []string{},
		"session_required_single_domain": slices.Concat([]string{}, c.Domains),
		"session_required_mfa":           c.MFA,
	}
}

// closed reports whether a clean path is in a directory that nobody may look into.
func (c Collection) closed(p string) bool {
	return slices.ContainsFunc(c.Closed, func(dir string) bool { return strings.HasPrefix(p+"/", clean(dir)+"/") })
}

func deniedPath(r *http.Request, p *place) *refusal {
	return transferRefusal(r, http.StatusForbidden, "EndpointPermissionDenied",
		"Denied by endpoint, Error (list)\nEndpoint: "+p.Name+"\nMessage: Fatal FTP Response\n---\nDetails: 500 Command failed : Path not allowed.\\r\\n\n")
}
