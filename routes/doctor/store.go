package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"example.org/portal/routes/session"
)

const storeCheck = "Session store"

func (d *doctor) checkStore(ctx context.Context) {
	switch {
	case d.SessionStore == "":
		d.skip(storeCheck, "correct SESSION_STORE first")
	case d.SessionStore == "memory:":
		d.warn(storeCheck, "in memory", "Everyone is signed out when the app stops. To keep sessions, set SESSION_STORE to sqlite: and a path.")
	case strings.HasPrefix(d.SessionStore, "sqlite:"):
		d.checkFile(ctx, d.StoreName())
	default:
		d.tryStore(ctx, d.SessionStore, d.StoreName())
	}
}

// tryStore writes, reads and deletes a record. It reports whether that worked.
func (d *doctor) tryStore(ctx context.Context, store, name string) (worked bool) {
	ctx, cancel := context.WithTimeout(ctx, maxStore)
	defer cancel()
	doubts, err := session.Check(ctx, store)
	if err != nil {
		d.fail(storeCheck, name+": "+err.Error(), storeRemedy(store, err))
		return false
	}
	d.ok(storeCheck, name+": written, read and deleted")
	for _, doubt := range doubts {
		d.warn(storeCheck, doubt.Found, doubt.Remedy)
	}
	return true
}

// checkFile tries the store in a file. It does not create the file, which would
// belong to the user who runs the doctor: if there is none, it tries another file
// in the same place, and deletes it.
func (d *doctor) checkFile(ctx context.Context, path string) {
	_, err := os.Stat(path)
	if err == nil {
		if d.tryStore(ctx, "sqlite:"+path, path) {
			d.checkModes(storeCheck+", permissions", path)
		}
		return
	}
	dir := ""
	if errors.Is(err, fs.ErrNotExist) {
		dir, err = os.MkdirTemp(existingFolder(path), ".portal-check-")
	}
	if err != nil {
		d.fail(storeCheck, err.Error(), storeRemedy(d.SessionStore, err))
		return
	}
	defer os.RemoveAll(dir)
	d.tryStore(ctx, "sqlite:"+filepath.Join(dir, "sessions.db"), path+", which the app will create when it starts")
}

// existingFolder returns the nearest folder above path that exists.
func existingFolder(path string) string {
	dir := filepath.Dir(path)
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// checkModes checks what other users of this machine may do with the file and its
// folder. They cannot open a session, because it is sealed; but they could delete
// or replace the file.
func (d *doctor) checkModes(what, path string) {
	folder := filepath.Dir(path)
	for _, c := range []struct {
		path         string
		denied       fs.FileMode
		may, command string
	}{
		{path, 0o077, "open", "chmod 600 "},
		{folder, 0o022, "write to", "chmod 700 "},
	} {
		info, err := os.Stat(c.path)
		if err != nil || runtime.GOOS == "windows" {
			return
		}
		if mode := info.Mode().Perm(); mode&c.denied != 0 {
			d.fail(what, fmt.Sprintf("other users may %s %s (%s)", c.may, c.path, mode), c.command+c.path)
			return
		}
	}
	d.ok(what, "no other user can open or replace it")
}

func storeRemedy(store string, err error) string {
	switch {
	case isA[x509.UnknownAuthorityError](err):
		return "Set SSL_CERT_FILE to a file with the certificate of the authority that signed the store's."
	case strings.HasPrefix(store, "postgres"):
		return "Check that PostgreSQL runs, and that SESSION_STORE names a database, and a user and password that it accepts. If the server has no TLS, add sslmode=disable."
	case !strings.HasPrefix(store, "sqlite:"):
		return "Check that the server runs, and that SESSION_STORE has a user and password that it accepts."
	case errors.Is(err, fs.ErrPermission):
		return "The folder must belong to the user that the app runs as. Run this check as that user too: sudo -u portal portal -check."
	}
	return "SESSION_STORE must name a file on a local disk with free space, in a folder that the app's user can write to (systemd's StateDirectory, a container's volume)."
}
