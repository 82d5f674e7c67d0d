package settings

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"example.org/portal/globus/globustest"
)

// The emulator is on another host name than the app, and so on another site, as
// the real Globus is. Ports are the same every time, so that they can be forwarded.
// A second demo on a machine takes the next ports, and has files of its own.
const (
	demoHost = "127.0.0.1"
	appPort  = 8888
	demoPort = 8890 // of the emulator
	demoStep = 10   // from the ports of one demo to those of the next
)

// demoSettings are those that StartDemo sets.
var demoSettings = []string{"GLOBUS_CLIENT_ID", "GLOBUS_CLIENT_SECRET", "GLOBUS_ISSUER", "SESSION_STORE", "DATABASE"}

// StartDemo starts an emulated Globus and points the settings at it. Nothing else
// distinguishes the demo from the app. Settings must have been read for the demo.
func (s *Settings) StartDemo(out io.Writer) (stop func() error, err error) {
	if !s.given["LISTEN"] && !s.given["PUBLIC_URL"] {
		var port int
		if s.listeners, port, err = listenFrom(appPort, demoHost, "::1"); err != nil {
			return nil, err
		}
		s.Listen, s.PublicURL.Host = s.listeners[0].Addr().String(), "localhost:"+strconv.Itoa(port)
	}
	listeners, port, err := listenFrom(demoPort, demoHost)
	if err != nil {
		return nil, err
	}
	files := filepath.Join("data", "demo")
	if port != demoPort {
		files += "-" + strconv.Itoa(port)
	}
	listener := listeners[0]
	s.Issuer = "http://" + listener.Addr().String()
	s.transferURL = s.Issuer + globustest.TransferPath
	s.groupsURL = s.Issuer + globustest.GroupsPath
	s.ClientID = "d3300000-0000-4000-8000-000000000000"
	s.ClientSecret = "not a secret: the emulator has only this client"
	s.SessionStore = "sqlite:" + filepath.ToSlash(files) + ".db"
	s.Database = "sqlite:" + filepath.ToSlash(files) + "-app.db"
	emulator, err := globustest.New(globustest.Config{
		Issuer:    s.Issuer,
		StateFile: files + "-globus.json",
		Clients: []globustest.Client{{
			ID: s.ClientID, Secret: s.ClientSecret, Name: "Portal (demo)", RedirectURIs: []string{s.RedirectURI()},
		}},
	})
	if err != nil {
		listener.Close()
		return nil, err
	}
	server := &http.Server{Handler: emulator, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	fmt.Fprintln(out, "Globus is emulated at "+s.Issuer+"/ (nobody has a password)")
	return server.Close, nil
}

// listenFrom listens on the first free port of those that demos use, from first on.
func listenFrom(first int, hosts ...string) (listeners []net.Listener, port int, err error) {
	for port = first; port < first+20*demoStep; port += demoStep {
		var addresses []string
		for _, host := range hosts {
			addresses = append(addresses, net.JoinHostPort(host, strconv.Itoa(port)))
		}
		listeners, err = listenAll(addresses)
		if !isInUse(err) {
			break
		}
	}
	return listeners, port, err
}
