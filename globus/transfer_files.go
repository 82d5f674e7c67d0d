package globus

import (
	"context"
	"net/http"
	"net/url"
)

// Mkdir makes a folder in a collection, which is named by its UUID. The folder above
// it must exist. The error is an *Error, its KindOf KindExists if there is something
// of that name, or what the TokenFunc returned. Paths are as in TransferItem.
func (t *Transfer) Mkdir(ctx context.Context, collection, path string) error {
	return t.send(ctx, http.MethodPost, operation(collection, "mkdir"), map[string]string{"DATA_TYPE": "mkdir", "path": path}, &struct{}{})
}

// Rename gives a file or a folder another path in its collection. The folder that it
// gets into must exist. The error is as that of Mkdir.
func (t *Transfer) Rename(ctx context.Context, collection, from, to string) error {
	return t.send(ctx, http.MethodPost, operation(collection, "rename"), map[string]string{"DATA_TYPE": "rename", "old_path": from, "new_path": to}, &struct{}{})
}

// Stat says what is at a path of a collection. The error is an *Error, its KindOf
// KindNotFound if there is nothing, or what the TokenFunc returned.
func (t *Transfer) Stat(ctx context.Context, collection, path string) (*Entry, error) {
	var entry Entry
	if err := t.get(ctx, operation(collection, "stat"), url.Values{"path": {path}}, &entry); err != nil {
		return nil, err
	}
	if entry == (Entry{}) {
		return nil, malformed("the answer is no file")
	}
	return &entry, nil
}

func operation(collection, name string) string {
	return "/operation/endpoint/" + url.PathEscape(collection) + "/" + name
}
