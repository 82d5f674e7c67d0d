package programs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A Postgres is a PostgreSQL. Anybody on this machine may do anything with it.
type Postgres struct {
	Port     string
	dir, bin string
	settings []string
	server   *exec.Cmd
}

// StartPostgres starts one that is empty, with settings such as "fsync=on" beside the
// usual ones. It skips the test where there is none. The caller calls Stop in the end.
func StartPostgres(t testing.TB, settings ...string) *Postgres {
	t.Helper()
	p := newPostgres(t, settings)
	args := []string{"-D", filepath.Join(p.dir, "data"), "-U", "portal", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"}
	if out, err := unprivileged(filepath.Join(p.bin, "initdb"), args...).CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	// The user locked needs the password that it has.
	access := filepath.Join(p.dir, "data", "pg_hba.conf")
	trust, err := os.ReadFile(access)
	if err == nil {
		err = os.WriteFile(access, append([]byte("host all locked all scram-sha-256\n"), trust...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Start(t)
	return p
}

// Standby starts a standby of p that replicates by streaming, under an
// application_name for synchronous_standby_names.
func (p *Postgres) Standby(t testing.TB, name string) *Postgres {
	t.Helper()
	s := newPostgres(t, p.settings)
	s.Follow(t, p, name)
	return s
}

func newPostgres(t testing.TB, settings []string) *Postgres {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // where Debian has it
	if len(found) == 0 {
		Skip(t, "needs postgresql, which is not installed")
	}
	return &Postgres{Port: FreePort(t), dir: unprivilegedDir(t, "postgres"), bin: found[len(found)-1], settings: settings}
}

// URL is where it is, for SESSION_STORE and DATABASE.
func (p *Postgres) URL() string {
	return "postgres://portal@127.0.0.1:" + p.Port + "/postgres?sslmode=disable"
}

// Start starts it again, after Kill or Stop.
func (p *Postgres) Start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	args := []string{"-D", filepath.Join(p.dir, "data"), "-h", "127.0.0.1", "-p", p.Port, "-k", "", "-F"}
	for _, setting := range p.settings {
		args = append(args, "-c", setting)
	}
	p.server = unprivileged(filepath.Join(p.bin, "postgres"), args...)
	p.server.Dir, p.server.Stdout, p.server.Stderr = p.dir, log, log
	if err := p.server.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "PostgreSQL answers", func() bool {
		return exec.Command(filepath.Join(p.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", p.Port).Run() == nil
	})
}

// Set changes a setting of the server while it runs.
func (p *Postgres) Set(t testing.TB, name, value string) {
	t.Helper()
	p.Exec(t, "ALTER SYSTEM SET "+name+" = '"+value+"'")
	p.Exec(t, "SELECT pg_reload_conf()")
	await(t, name+" is "+value, func() bool { return p.Exec(t, "SHOW "+name) == value })
}

// UseTLS turns on TLS, with files in PEM.
func (p *Postgres) UseTLS(t testing.TB, certificate, key string) {
	t.Helper()
	for name, from := range map[string]string{"server.crt": certificate, "server.key": key} { // in the folder of data
		to := filepath.Join(p.dir, "data", name)
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, content, 0o600)
		}
		if err == nil && os.Geteuid() == 0 {
			err = exec.Command("chown", user+":", to).Run()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Set(t, "ssl", "on")
}

// Exec runs a statement by psql, and returns what it prints.
func (p *Postgres) Exec(t testing.TB, statement string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(p.bin, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", p.URL(), "-c", statement)
	cmd.Env = append(os.Environ(), "PGOPTIONS=-c synchronous_commit=local")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", statement, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Promote makes a standby the primary.
func (p *Postgres) Promote(t testing.TB) {
	t.Helper()
	p.Exec(t, "SELECT pg_promote()")
}

// Follow makes a server that does not run a standby of primary.
func (p *Postgres) Follow(t testing.TB, primary *Postgres, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(p.dir, "data")); err != nil {
		t.Fatal(err)
	}
	source := "host=127.0.0.1 port=" + primary.Port + " user=portal application_name=" + name
	args := []string{"-D", filepath.Join(p.dir, "data"), "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync"}
	if out, err := unprivileged(filepath.Join(p.bin, "pg_basebackup"), args...).CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v: %s", err, out)
	}
	p.Start(t)
}

// Signal sends a signal to the server and to the processes that serve its clients.
func (p *Postgres) Signal(signal syscall.Signal) {
	pid := strconv.Itoa(p.server.Process.Pid)
	children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	_ = p.server.Process.Signal(signal)
	for _, child := range strings.Fields(string(children)) {
		if n, err := strconv.Atoi(child); err == nil {
			if process, err := os.FindProcess(n); err == nil {
				_ = process.Signal(signal)
			}
		}
	}
}

// Kill ends it as a crash of its machine would.
func (p *Postgres) Kill() {
	p.Signal(syscall.SIGKILL)
	_ = p.server.Wait()
}

// Stop ends it, and cuts off who is connected.
func (p *Postgres) Stop() {
	_ = p.server.Process.Signal(os.Interrupt)
	_ = p.server.Wait()
}

// Remove ends it and deletes its files.
func (p *Postgres) Remove() {
	p.Kill()
	os.RemoveAll(p.dir)
}

// Bouncer starts a pgbouncer in transaction mode before a server, and returns the URL.
// The server can be another one later: see Repoint.
type Bouncer struct {
	Port   string
	dir    string
	server *exec.Cmd
}

// StartBouncer starts a pgbouncer in transaction mode before p. It stops with the test.
func StartBouncer(t testing.TB, p *Postgres) *Bouncer {
	t.Helper()
	path := Path(t, "pgbouncer")
	b := &Bouncer{Port: FreePort(t), dir: unprivilegedDir(t, "pgbouncer")}
	b.configure(t, p)
	b.server = unprivileged(path, "-q", filepath.Join(b.dir, "pgbouncer.ini"))
	if err := b.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.server.Process.Kill()
		_ = b.server.Wait()
		os.RemoveAll(b.dir)
	})
	await(t, "pgbouncer answers", func() bool {
		return exec.Command(filepath.Join(p.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", b.Port).Run() == nil
	})
	return b
}

func (b *Bouncer) configure(t testing.TB, p *Postgres) {
	t.Helper()
	text := "[databases]\npostgres = host=127.0.0.1 port=" + p.Port + " user=portal\n" +
		"[pgbouncer]\npool_mode = transaction\nlisten_addr = 127.0.0.1\nlisten_port = " + b.Port + "\nunix_socket_dir =\n" +
		"auth_type = any\ndefault_pool_size = 4\nlogfile = " + filepath.Join(b.dir, "log") + "\n"
	if err := os.WriteFile(filepath.Join(b.dir, "pgbouncer.ini"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Repoint has new transactions go to another server.
func (b *Bouncer) Repoint(t testing.TB, p *Postgres) {
	t.Helper()
	b.configure(t, p)
	if err := b.server.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// URL is where it is.
func (b *Bouncer) URL() string {
	return "postgres://portal@127.0.0.1:" + b.Port + "/postgres?sslmode=disable"
}
