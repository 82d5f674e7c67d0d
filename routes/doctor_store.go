package routes

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"example.org/portal/routes/session"
)

const storeCheck = "Session store"

func (d *doctor) checkStore(ctx context.Context) {
	path, isFile := strings.CutPrefix(d.SessionStore, "sqlite:")
	switch {
	case d.SessionStore == "":
		d.skip(storeCheck, "mend SESSION_STORE first")
	case d.SessionStore == "memory:":
		d.warn(storeCheck, "in memory", "Everybody is signed out when the app stops; sqlite: and a path would keep them.")
	case isFile:
		d.checkFile(ctx, path)
	default:
		d.tryStore(ctx, d.SessionStore, withoutPassword(d.SessionStore))
	}
}

// tryStore reports whether the store did what it should.
func (d *doctor) tryStore(ctx context.Context, store, name string) (worked bool) {
	ctx, cancel := context.WithTimeout(ctx, maxCheck)
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

// checkFile tries the store in a file. One that is not there is left to the app
// to make, for it would belong to whoever runs the doctor: another one is made
// in its place, and removed.
func (d *doctor) checkFile(ctx context.Context, path string) {
	path, err := filepath.Abs(path)
	if err != nil {
		d.fail(storeCheck, err.Error(), "")
		return
	}
	info, err := os.Stat(path)
	if err == nil {
		if d.tryStore(ctx, "sqlite:"+path, fmt.Sprintf("%s (%d KiB)", path, (info.Size()+1023)>>10)) {
			d.checkModes(path)
		}
		return
	}
	if !errors.Is(err, fs.ErrNotExist) {
		d.fail(storeCheck, err.Error(), storeRemedy(d.SessionStore, err))
		return
	}
	dir, err := os.MkdirTemp(existing(path), ".portal-check-")
	if err != nil {
		d.fail(storeCheck, err.Error(), storeRemedy(d.SessionStore, err))
		return
	}
	defer os.RemoveAll(dir)
	d.tryStore(ctx, "sqlite:"+filepath.Join(dir, "sessions.db"), path+", which the app will make when it starts")
}

// existing returns the nearest folder above path that is there.
func existing(path string) string {
	dir := filepath.Dir(path)
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// checkModes looks at what others on this machine may do with the file and its
// folder. They cannot open a record; they might delete or replace them all.
func (d *doctor) checkModes(path string) {
	const what = "Session store, permissions"
	file, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" {
		return
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return
	}
	in := filepath.Dir(path)
	switch mode := folder.Mode().Perm(); {
	case file.Mode().Perm()&0o077 != 0:
		d.fail(what, fmt.Sprintf("others may open %s (%s)", path, file.Mode().Perm()), "chmod 600 "+path)
	case mode&0o022 != 0:
		d.fail(what, fmt.Sprintf("others may put files into %s, or take them away (%s)", in, mode), "chmod 700 "+in)
	case mode&0o077 != 0:
		d.warn(what, fmt.Sprintf("others may look into %s (%s)", in, mode), "chmod 700 "+in)
	default:
		d.ok(what, fmt.Sprintf("nobody else can open it (%s)", file.Mode().Perm()))
	}
}

func storeRemedy(store string, err error) string {
	switch {
	case isA[x509.UnknownAuthorityError](err):
		return "Set SSL_CERT_FILE to the certificate of the authority that Redis's certificate is of."
	case !strings.HasPrefix(store, "sqlite:"):
		return "SESSION_STORE must name a Redis of 6.2 or later, or a Valkey, that runs, and the user and password that it knows: redis://user:password@host:6379/0."
	case errors.Is(err, fs.ErrPermission):
		return "The folder must belong to the user that the app runs as. Run this as that user too: sudo -u portal portal -check."
	case errors.Is(err, syscall.EROFS):
		return "Set SESSION_STORE to a path that can be written: systemd's StateDirectory, a container's volume."
	case errors.Is(err, syscall.ENOSPC):
		return "The disk is full: make room."
	}
	return "SESSION_STORE must name a file in a folder on a local disk, with room left, that the user that the app runs as can write to."
}

// withoutPassword returns the URL of a store, fit to be printed.
func withoutPassword(store string) string {
	u, err := url.Parse(store)
	if err != nil {
		return "SESSION_STORE"
	}
	return u.Redacted()
}
