package globus

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
)

// The real Globus Transfer: its base URL, its name as a resource server, and the
// scope that its calls need.
const (
	TransferURL    = "https://transfer.api.globus.org/v0.10"
	TransferServer = "transfer.api.globus.org"

	// TransferScope lets an app do everything in Globus Transfer that the person can do.
	TransferScope = "urn:globus:auth:scope:transfer.api.globus.org:all"
)

// A Transfer calls Globus Transfer as one person. Make one with Client.Transfer. If
// Globus is busy and asks for a retry within 3 s, the call is retried once;
// Error.RetryAfter has longer times. README.md in this folder has the names of these
// calls in Globus's SDK for Python.
type Transfer struct {
	base string
	http *http.Client
}

// Transfer returns a client of Globus Transfer. token returns tokens for TransferServer.
func (c *Client) Transfer(token TokenFunc) *Transfer {
	return &Transfer{c.transfer, c.HTTPClient(c.transfer, token)}
}

// A TaskQuery says which tasks to list.
type TaskQuery struct {
	Offset   int // how many tasks to skip
	PageSize int // tasks per request; Transfer rejects more than 1000; 0 or less: 100
}

// TaskList lists the person's tasks, the newest first. It fetches them page by page
// while the caller iterates. After an error it stops. The error is an *Error or the
// error of the TokenFunc.
func (t *Transfer) TaskList(ctx context.Context, q TaskQuery) iter.Seq2[Task, error] {
	params := url.Values{"orderby": {"request_time DESC"}}
	return byOffset[Task](ctx, t, "/task_list", params, q.Offset, q.PageSize)
}

// Task returns the person's task with a UUID. The error is an *Error or the error of
// the TokenFunc; its KindOf is KindNotFound if the person has no such task.
func (t *Transfer) Task(ctx context.Context, id string) (*Task, error) {
	var task Task
	if err := t.get(ctx, "/task/"+url.PathEscape(id), nil, &task); err != nil {
		return nil, err
	}
	if task == (Task{}) {
		return nil, malformed("the answer is no task")
	}
	return &task, nil
}

func (t *Transfer) get(ctx context.Context, path string, q url.Values, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base+path+"?"+q.Encode(), nil)
	if err != nil {
		return callError("transfer", err)
	}
	return getJSON(t.http, "transfer", req, v)
}

// send sends a document, which may be nil, and decodes the JSON response into v. Where
// only success matters v is an empty struct: the HTML page of a proxy is no success.
func (t *Transfer) send(ctx context.Context, method, path string, doc, v any) error {
	var body io.Reader
	if doc != nil {
		text, err := json.Marshal(doc)
		if err != nil {
			return callError("transfer", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, t.base+path, body)
	if err != nil {
		return callError("transfer", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return getJSON(t.http, "transfer", req, v)
}
