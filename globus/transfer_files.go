package globus

import (
	"context"
	"net/http"
	"net/url"
)

// Mkdir creates a folder in the collection with a UUID. Its parent folder must exist.
// The error is an *Error or the error of the TokenFunc; its KindOf is KindExists if
// something of that name exists. Paths are as in TransferItem.
func (t *Transfer) Mkdir(ctx context.Context, collection, path string) error {
	return t.send(ctx, http.MethodPost, operation(collection, "mkdir"), map[string]string{"DATA_TYPE": "mkdir", "path": path}, &struct{}{})
}

// Rename moves a file or a folder to another path in its collection. The parent folder
// of that path must exist. The errors are those of Mkdir.
func (t *Transfer) Rename(ctx context.Context, collection, from, to string) error {
	return t.send(ctx, http.MethodPost, operation(collection, "rename"), map[string]string{"DATA_TYPE": "rename", "old_path": from, "new_path": to}, &struct{}{})
}

// Stat returns the file or folder at a path. The error is an *Error or the error of the
// TokenFunc; its KindOf is KindNotFound if nothing is there.
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
