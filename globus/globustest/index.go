package globustest

import (
	"maps"
	"net/http"
	"slices"
)

const indexPath = "/"

// An indexPage tells whoever runs the emulator what it knows: where its endpoints
// are, which apps are registered, and who can sign in. It shows no secret.
type indexPage struct {
	Issuer    string
	Endpoints []indexEndpoint
	Clients   []Client
	People    []Person
}

type indexEndpoint struct{ Name, Path string }

// index is a page of the emulator's own; Globus has none like it.
func (e *Emulator) index(w http.ResponseWriter, _ *http.Request) error {
	page := indexPage{
		Issuer: e.issuer,
		Endpoints: []indexEndpoint{
			{"Discovery", DiscoveryPath},
			{"Authorize", AuthorizePath},
			{"Token", TokenPath},
			{"Userinfo", UserInfoPath},
			{"Introspect", IntrospectPath},
			{"Revoke", RevokePath},
			{"Globus Transfer", TransferPath},
			{"Globus Groups", GroupsPath},
		},
		People: e.people,
	}
	e.mu.Lock()
	for _, id := range slices.Sorted(maps.Keys(e.clients)) {
		page.Clients = append(page.Clients, e.clients[id])
	}
	e.mu.Unlock()
	return render(w, http.StatusOK, "index", page)
}
