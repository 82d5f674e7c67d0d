// Describe prints a file routes/data.go for an index of Globus Search, made from a sample
// of its records:
//
//	go run ./routes/search/describe INDEX_ID
//
// It sees what everybody sees. Of records that only some people see, the Globus CLI takes
// the sample:
//
//	globus search query INDEX_ID -q '*' --limit 100 | go run ./routes/search/describe INDEX_ID -
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/search"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("GLOBUS_ISSUER"), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "describe:", err)
		os.Exit(1)
	}
}

// run describes the index that args name. issuer is that of another Globus, such as an
// emulator; "": the real one.
func run(args []string, issuer string, in io.Reader, out io.Writer) error {
	if len(args) == 0 || len(args) > 2 || !globus.IsUUID(args[0]) || len(args) == 2 && args[1] != "-" {
		return errors.New("usage: go run ./routes/search/describe INDEX_ID [-]")
	}
	var sample globus.SearchResult
	if len(args) == 2 {
		if err := json.NewDecoder(in).Decode(&sample); err != nil {
			return fmt.Errorf("the input is no answer of Globus Search: %w", err)
		}
	} else {
		client, err := globus.New(globus.Config{ClientID: "none", ClientSecret: "none", RedirectURL: "http://localhost/login", Issuer: cmp.Or(issuer, globus.Issuer)})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		found, err := client.Search(nil).Query(ctx, args[0], globus.SearchQuery{Limit: 100})
		if err != nil {
			return err
		}
		sample = *found
	}
	text, err := search.Describe(args[0], sample.Subjects)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}
