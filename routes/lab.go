package routes

import (
	"net/http"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// Lab is who may see the beam times: the members of a group of the demo. Put in the ID of
// a group of yours.
var Lab = globus.Policy{Groups: []string{"5c0a7e00-1a2b-4c3d-8e4f-60726f757001"}}

var beamTimes = []components.BeamTime{
	{Instrument: "Diffractometer", Times: "Mondays and Thursdays, 8:00 to 12:00"},
	{Instrument: "Spectrometer", Times: "Wednesdays"},
}

// lab shows the beam times. Its route requires Lab.
func (a *App) lab(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
	return web.Show(w, r, "Beam times", components.LabCard(components.Lab{Site: a.Site, Times: beamTimes}))
}

// labCard is a part of the account page. It has the beam times if Lab allows the person
// of s to see them.
func (a *App) labCard(s *session.Session) components.Lab {
	card := components.Lab{Site: a.Site}
	if a.Auth.Allows(s, Lab) {
		card.Times = beamTimes
	}
	return card
}
