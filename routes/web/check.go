package web

import (
	"context"
	"slices"
)

// A Check is what portal -check does for a page: it asks a service whether what the page
// needs is there.
type Check struct {
	Page string // its path, without that of PUBLIC_URL
	Run  func(ctx context.Context) []Finding
}

// A Finding is something that a Check has found.
type Finding struct {
	Text   string // what was found
	Remedy string // what to do about it; "": it is as it should be
}

// AddCheck adds a check of the page at a path. It runs when somebody runs portal -check,
// and has a few seconds.
func (s *Server) AddCheck(page string, run func(ctx context.Context) []Finding) {
	s.checks = append(s.checks, Check{page, run})
}

// Checks returns the checks that were added.
func (s *Server) Checks() []Check { return slices.Clone(s.checks) }
