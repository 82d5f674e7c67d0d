package session

import (
	"slices"
	"time"

	"example.org/portal/globus"
)

const (
	metFor = 5 * time.Minute // how long it counts that requirements were met
	maxMet = 5               // in that time; a service that wants still more is not obeyed
)

// A Met is what a service wanted of the person, and when the person was at
// Globus for it.
type Met struct {
	Requirements globus.Requirements `json:"requirements"` // what was wanted
	At           time.Time           `json:"at"`           // when they came back
}

// Meet notes that the person has just been at Globus for what r asks.
func (rec *Record) Meet(r globus.Requirements, now time.Time) {
	rec.Met = append(rec.metLately(now), Met{r, now})
}

// HasMet reports whether the person did what r asks in the last few minutes, or
// so much that there must be an end of it: to be sent to Globus once more would
// be to go in circles. After those minutes it may well be due again.
func (rec *Record) HasMet(r *globus.Requirements, now time.Time) bool {
	lately := rec.metLately(now)
	return len(lately) >= maxMet || slices.ContainsFunc(lately, func(m Met) bool { return m.Requirements.Same(r) })
}

// metLately returns a list of its own.
func (rec *Record) metLately(now time.Time) []Met {
	return slices.DeleteFunc(slices.Clone(rec.Met), func(m Met) bool { return now.Sub(m.At).Abs() >= metFor })
}
