package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	"example.org/portal/routes/database"
)

const databaseCheck = "Database"

// checkDatabase looks at the database of the app's own pages. Without migrations the
// app opens none, and there is nothing to say.
func (d *doctor) checkDatabase(ctx context.Context, migrations fs.FS) {
	names, err := database.Names(migrations)
	switch {
	case err != nil:
		d.fail(databaseCheck, err.Error(), "Rename the file, and build the app again.")
		return
	case len(names) == 0:
		return
	case d.Database == "":
		d.skip(databaseCheck, "correct DATABASE first")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxStore)
	defer cancel()
	name, path := databaseName(d.Database)
	state, err := database.Inspect(ctx, d.Database, migrations)
	if err != nil {
		d.fail(databaseCheck, name+": "+strings.Join(strings.Fields(err.Error()), " "), databaseRemedy(d.Database, err))
		return
	}
	switch found := fmt.Sprintf("%s: tables can be made; %d migrations applied", name, len(state.Applied)+len(state.Changed)); {
	case state.New:
		d.ok(databaseCheck, name+", which the app will create when it starts: its migrations can be applied")
	default:
		d.ok(databaseCheck, found)
		if len(state.Pending) > 0 {
			d.warn(databaseCheck, "not applied yet: "+strings.Join(state.Pending, ", "), "The app applies them when it starts: restart it.")
		}
		if path != "" {
			d.checkModes(databaseCheck+", permissions", path)
		}
	}
	if len(state.Changed) > 0 {
		d.warn(databaseCheck, "changed after they were applied: "+strings.Join(state.Changed, ", "), "The tables are still those of the old text. Undo the change, and put it into a new file.")
	}
	if len(state.Unknown) > 0 {
		d.warn(databaseCheck, "applied by another version of the app: "+strings.Join(state.Unknown, ", "), "Check that this is the version of the app that should run, and that no other app uses this database.")
	}
}

// databaseName returns the name of a database without its password, and the path of a
// file; "" if it is none.
func databaseName(name string) (shown, path string) {
	if path, ok := strings.CutPrefix(name, "sqlite:"); ok {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		return path, path
	}
	u, err := url.Parse(name)
	if err != nil {
		return "DATABASE", ""
	}
	return u.Redacted(), ""
}

func databaseRemedy(name string, err error) string {
	var refused interface{ SQLState() string } // of PostgreSQL
	switch {
	case isA[x509.UnknownAuthorityError](err):
		return "Add the certificate of the server's certificate authority to DATABASE: ?sslrootcert=/etc/ssl/our-ca.pem"
	case strings.HasPrefix(name, "sqlite:") && errors.Is(err, fs.ErrPermission):
		return "The folder must belong to the user that the app runs as. Run this check as that user too: sudo -u portal portal -check."
	case strings.HasPrefix(name, "sqlite:"):
		return "DATABASE must name a file on a local disk with free space, in a folder that the app's user can write to. If the line above names a migration, correct that instead."
	case !errors.As(err, &refused):
		return "Check that PostgreSQL runs, and that this machine reaches the host and port in DATABASE."
	}
	switch refused.SQLState() {
	case "42501": // insufficient_privilege
		return "The app's user must be allowed to make tables: make it the owner of the database, or GRANT CREATE ON SCHEMA public."
	case "3D000": // invalid_catalog_name
		return "Create the database that DATABASE names, with the app's user as its owner."
	case "28000", "28P01": // invalid_authorization_specification, invalid_password
		return "DATABASE must have a user and a password that the server accepts; in the password, %40 stands for @, %2F for /, %23 for #."
	}
	return "The server's own log says more."
}
