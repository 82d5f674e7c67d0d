package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestRefusedUploadIsAnswered: a proxy that sends all of a body before it reads gets
// the answer, whatever becomes of the request and however large the body is.
func TestRefusedUploadIsAnswered(t *testing.T) {
	t.Parallel()
	s := startFiles(t, routestest.Options{})
	for _, test := range []struct {
		request string
		length  int64
		status  int
	}{
		{"POST /probe/stream HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x", 70 << 10, http.StatusUnauthorized},
		{"POST /probe/stream HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x", 20 << 20, http.StatusUnauthorized},
		{"POST /nowhere HTTP/1.1", 20 << 20, http.StatusNotFound},
	} {
		for _, connection := range []string{"close", "keep-alive"} {
			conn, err := net.Dial("tcp", s.Server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "%s\r\nHost: x\r\nConnection: %s\r\nContent-Length: %d\r\n\r\n", test.request, connection, test.length)
			if n, err := io.Copy(conn, letters(test.length)); err != nil {
				t.Errorf("%s, %d bytes, %s: %d bytes sent, %v", test.request, test.length, connection, n, err)
				continue
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%s, %d bytes, %s: %v", test.request, test.length, connection, err)
			} else if answer.StatusCode != test.status {
				t.Errorf("%s, %d bytes, %s: got %d, want %d", test.request, test.length, connection, answer.StatusCode, test.status)
			}
		}
	}
}
