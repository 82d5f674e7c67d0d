package web

import "example.org/portal/components"

// An About is an error of a Globus service with what else its page says: facts about
// it, and links that may help. A handler returns it in place of Err.
type About struct {
	Err   error
	Facts []components.Fact // such as the name of a collection
	Names map[string]string // names of the collections whose UUIDs are in Err, by UUID; may be nil
	Ways  []components.Way
	Form  *components.Form // to send, in place of Err's own if that has none; nil: none
}

// Error is Err's.
func (e *About) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *About) Unwrap() error { return e.Err }

// addTo returns a copy of p with e's facts before its own, and e's links after them.
func (e *About) addTo(p *Problem) *Problem {
	more := *p
	more.Facts = append(append([]components.Fact{}, e.Facts...), p.Facts...)
	more.Ways = append(append([]components.Way{}, p.Ways...), e.Ways...)
	if more.Form == nil {
		more.Form = e.Form
	}
	return &more
}
