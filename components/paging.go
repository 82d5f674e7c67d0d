package components

import (
	"net/url"
	"strconv"
)

// A Paging is which part of a long list a page shows. web.Paging reads it from the
// address; PageLinks leads to the other parts. A handler asks for Limit entries from
// Offset on, and takes them until the page is Full:
//
//	for rows.Next() {
//		if paging.Full(len(samples)) {
//			break
//		}
//		…
type Paging struct {
	Self   string // path of the page with its query, as a browser sees it
	Offset int    // how many entries are before the first one
	Size   int    // how many entries are shown at most
	More   bool   // whether there are entries after those that are shown; Full says so
}

// Limit is how many entries to ask for: one more than are shown tells whether there are
// others.
func (p Paging) Limit() int { return p.Size + 1 }

// Full reports whether a page with n entries takes no more. A handler calls it when
// there is another entry, so it sets More.
func (p *Paging) Full(n int) bool {
	p.More = n >= p.Size
	return p.More
}

// At returns the path, as a browser sees it, of the page of the same list that begins
// at offset.
func (p Paging) At(offset int) string {
	u, err := url.Parse(p.Self)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Del("offset")
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// Next is the Offset of the page after this one.
func (p Paging) Next() int { return p.Offset + p.Size }
