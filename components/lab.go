package components

// A Lab is a card for the members of a lab.
type Lab struct {
	Site
	Times []BeamTime // nil: who looks at it is not known to be a member
}

// A BeamTime is when the lab may use an instrument, every week.
type BeamTime struct {
	Instrument, Times string
}
