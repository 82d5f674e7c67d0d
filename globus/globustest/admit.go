package globustest

import (
	"net/http"
	"slices"
	"strings"
)

// An operation is a call that works on files, as Transfer's error codes name it.
type operation string

const (
	listing  operation = "DirListing"
	making   operation = "Mkdir"
	renaming operation = "Rename"
)

// failed returns an error that the collection itself, not Transfer, responds with.
func (op operation) failed(r *http.Request, p *place, reason, message string) *refusal {
	text := "Command Failed: Error (" + strings.ToLower(string(op)) + ")\nEndpoint: " + p.Name + "\nMessage: " + message + "\n---\nDetails: 500-Command failed. : " + message
	return transferRefusal(r, http.StatusBadGateway, "ExternalError."+string(op)+"Failed."+reason, text)
}

// enter finds a collection for an operation, and checks what it requires of the
// person and of the app. It needs e.mu.
func (e *Emulator) enter(r *http.Request, id string, g grant, op operation) (*place, error) {
	p, person, err := e.admit(r, id, g)
	if err != nil {
		return nil, err
	}
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
	e.markUsed(g.Person, p.ID)
	return p, nil
}

// admit finds a collection and the person who calls. It rejects a person without
// permission, and an app without consent. A new consent counts for the tokens that
// the app already has: globus/globus-cli repeats a request with the same token. It
// needs e.mu.
func (e *Emulator) admit(r *http.Request, id string, g grant) (*place, Person, error) {
	p, err := e.existing(r, id)
	if err != nil {
		return nil, Person{}, err
	}
	if !p.mayUse(g.Person) {
		return nil, Person{}, transferRefusal(r, http.StatusForbidden, "PermissionDenied", "You do not have permission to use "+p.Name)
	}
	path := slices.Concat(g.Above, []string{transferScope, p.dataAccess()})
	if p.DataAccess && !e.state.allows(g.Person, g.root(), path...) {
		return nil, Person{}, consentRefusal(r, transferScope+"[*"+p.dataAccess()+"]")
	}
	person, _ := e.person(g.Person)
	return p, person, nil
}

func consentRefusal(r *http.Request, scopes ...string) *refusal {
	refused := transferRefusal(r, http.StatusForbidden, "ConsentRequired", "Missing required data_access consent")
	refused.body["required_scopes"] = scopes
	return refused
}

func (c Collection) requirement() requirement { return requirement{Domains: c.Domains, MFA: c.MFA} }

// parameters returns the authorization parameters that meet the requirement. Lists that
// require nothing are empty, not missing.
func (c Collection) parameters() map[string]any {
	return map[string]any{
		"session_message":                c.Name + " asks who you are",
		"session_required_identities":    []string{},
		"session_required_single_domain": slices.Concat([]string{}, c.Domains),
		"session_required_mfa":           c.MFA,
	}
}

// isClosed reports whether a clean path is in one of the Closed directories.
func (c Collection) isClosed(p string) bool {
	return slices.ContainsFunc(c.Closed, func(dir string) bool { return strings.HasPrefix(p+"/", clean(dir)+"/") })
}

func deniedPath(r *http.Request, p *place) *refusal {
	return transferRefusal(r, http.StatusForbidden, "EndpointPermissionDenied",
		"Denied by endpoint, Error (list)\nEndpoint: "+p.Name+"\nMessage: Fatal FTP Response\n---\nDetails: 500 Command failed : Path not allowed.\\r\\n\n")
}
