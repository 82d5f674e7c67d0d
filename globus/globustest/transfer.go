package globustest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// endpointPath returns the path under which the endpoint of a request is known:
// its own, TaskPath for each task, or ListPath for each collection.
func endpointPath(path string) string {
	if id, ok := strings.CutPrefix(path, TaskPath); ok && !strings.Contains(id, "/") {
		return TaskPath
	}
	if _, ok := collectionID(path); ok {
		return ListPath
	}
	return path
}

// transfer adapts an endpoint of Globus Transfer: only a person's own token for
// Transfer opens it, and it knows what they allowed the app. It holds e.mu.
func (e *Emulator) transfer(h func(*http.Request, grant) (any, error)) http.Handler {
	return answer(func(r *http.Request) (any, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		secret, sent := bearer(r)
		t, ok := e.liveToken(secret)
		if !sent || !ok || t.Refresh || t.ResourceServer != transferServer {
			return nil, transferRefusal(r, http.StatusUnauthorized, "AuthenticationFailed", "Token is not valid")
		}
		if len(e.lie.ConsentRequired) > 0 {
			refused := transferRefusal(r, http.StatusForbidden, "ConsentRequired", "Missing required data_access consent")
			refused.body["required_scopes"] = e.lie.ConsentRequired
			return nil, refused
		}
		return h(r, t.Grant)
	}, http.MethodGet)
}

// history returns the tasks of a person who exists. It needs e.mu.
func (e *Emulator) history(key string) history {
	now := e.now()
	if _, ok := e.shown[key]; !ok {
		e.shown[key] = now
	}
	person, _ := e.person(key)
	return history{Person: person, began: e.shown[key], now: now}
}

// task answers with one task. A person who asks for somebody else's is told that
// there is none.
func (e *Emulator) task(r *http.Request, g grant) (any, error) {
	h := e.history(g.Person)
	if _, err := readQuery(r); err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(r.URL.Path, TaskPath)
	i := slices.IndexFunc(h.Tasks, func(t Task) bool { return t.ID == id })
	if i < 0 {
		return nil, transferRefusal(r, http.StatusNotFound, "ClientError.NotFound", "No task found with id '"+id+"'")
	}
	return e.lie.Task.apply(h.document(h.Tasks[i])), nil
}

// readQuery reads the parameters in the URL: each is one of names, and comes
// once at most.
func readQuery(r *http.Request, names ...string) (url.Values, error) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badParameter(r, "Malformed query")
	}
	if name := repeated(params); name != "" {
		return nil, badParameter(r, "Repeated parameter '"+name+"'")
	}
	if name := unknown(params, names); name != "" { // Globus may well know it
		return nil, badParameter(r, "Unknown parameter '"+name+"'")
	}
	return params, nil
}

func badParameter(r *http.Request, message string) *refusal {
	return transferRefusal(r, http.StatusBadRequest, "ClientError.BadRequest", message)
}
