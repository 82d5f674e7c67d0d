package globustest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// transfer adapts an endpoint of Globus Transfer. It checks the access token, and calls the
// endpoint with the token's grant. It holds e.mu.
func (e *Emulator) transfer(h func(*http.Request, grant) (any, error), methods ...string) http.Handler {
	return answer(func(r *http.Request) (any, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		secret, sent := e.bearer(r)
		t, ok := e.liveToken(secret)
		if !sent || !ok || t.Refresh || t.ResourceServer != transferServer {
			return nil, transferRefusal(r, http.StatusUnauthorized, "AuthenticationFailed", "Token is not valid")
		}
		if len(e.lie.ConsentRequired) > 0 {
			return nil, consentRefusal(r, e.lie.ConsentRequired...)
		}
		e.runTasks()
		return h(r, t.Grant)
	}, methods...)
}

// readQuery returns the parameters in the URL that have one of these names.
func (e *Emulator) readQuery(r *http.Request, names ...string) (url.Values, error) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badParameter(r, "Malformed query")
	}
	params, unknown := e.known(r, params, names)
	if unknown != "" { // with Config.Strict only
		return nil, badParameter(r, "Unknown parameter '"+unknown+"'")
	}
	filters := params["filter"] // only this one may be repeated (globus/globus-sdk-python, operation_ls)
	delete(params, "filter")
	if name := repeated(params); name != "" {
		return nil, badParameter(r, "Repeated parameter '"+name+"'")
	}
	if filters != nil {
		params["filter"] = filters
	}
	return params, nil
}

func badParameter(r *http.Request, message string) *refusal {
	return transferRefusal(r, http.StatusBadRequest, "ClientError.BadRequest", message)
}

const maxBody = 4 << 20 // bytes

// readBody reads the JSON object that an app posts into v. Null counts as absent, because
// Globus's web app sends it. Members without one of these names are ignored and recorded;
// with Config.Strict they are rejected.
func (e *Emulator) readBody(r *http.Request, dataType string, v any, names ...string) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return badParameter(r, "The body is too long, or broke off")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return badParameter(r, "The body is no JSON object")
	}
	for name := range members {
		switch {
		case slices.Contains(names, name) || name == "DATA_TYPE":
		case e.strict:
			return badParameter(r, "Unknown field '"+name+"'")
		default:
			recordOf(r).ignore(name)
		}
	}
	var said string
	if err := json.Unmarshal(members["DATA_TYPE"], &said); err != nil && members["DATA_TYPE"] != nil || said != dataType {
		return badParameter(r, "DATA_TYPE must be '"+dataType+"'")
	}
	if err := json.Unmarshal(body, v); err != nil {
		return badParameter(r, "A field has a value of another type than expected")
	}
	return nil
}

// result is the document that confirms a change.
func result(r *http.Request, dataType, code, message string) document {
	return document{
		"DATA_TYPE": dataType, "code": code, "message": message, "request_id": randomText(9),
		"resource": strings.TrimPrefix(r.URL.Path, TransferPath),
	}
}

// A withStatus is a response with another status than 200.
type withStatus struct {
	status int
	body   any
}

// segment returns the segment of the request's path that follows prefix.
func segment(r *http.Request, prefix string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, prefix), "/")
	return id
}
