package web

import (
	"net/http"
	"strings"
)

const (
	maxQuery       = 8000     // bytes; proxies let pass 8 KiB of address
	maxCookieBytes = 16 << 10 // of the Cookie header
	maxCookieCount = 500      // net/http reads no cookies at all from 3,000 on
)

// checkHead refuses a request whose query or cookies are too long to be read.
func checkHead(r *http.Request) error {
	if len(r.URL.RawQuery) > maxQuery {
		return &Problem{
			Status: http.StatusRequestURITooLong, Reason: "query_too_long", Heading: "That link is too long",
			Message: "The part of the address after the question mark is longer than any page here can use.",
		}
	}
	cookies := strings.Join(r.Header.Values("Cookie"), ";")
	if len(cookies) > maxCookieBytes || strings.Count(cookies, ";") > maxCookieCount {
		return &Problem{
			Status: http.StatusBadRequest, Reason: "too_many_cookies", Heading: "Too many cookies",
			Message: "Your browser sent more cookies than this site can read. Clear the cookies of this site and try again.",
		}
	}
	return nil
}
