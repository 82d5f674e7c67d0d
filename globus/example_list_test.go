package globus_test

import (
	"context"
	"fmt"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// What is in a directory of a collection, or what the collection wants first.
func ExampleTransfer_List() {
	client, signedIn, stop := signIn() // client is from New, signedIn from Exchange
	defer stop()

	source := client.Source(signedIn.Tokens, globus.TransferServer, nil)
	transfer := client.Transfer(source.Fresh)
	for _, collection := range globustest.DemoCollections() {
		listing, err := transfer.List(context.Background(), collection.ID, globus.ListQuery{Path: "/"})
		if required, ok := globus.RequirementsOf(err); ok {
			fmt.Println(collection.Name, "wants", len(required.Scopes), required.Domains, required.MFA)
			continue
		}
		if err != nil {
			fmt.Println(collection.Name, "cannot be listed:", globus.KindOf(err))
			continue
		}
		fmt.Println(collection.Name, "has", listing.Total)
	}
	// Output:
	// Example Light Source, beamline 7 has 4
	// Example University Research Storage wants 1 [] false
	// Example Supercomputer scratch wants 0 [example.edu] true
	// Tape archive wants 0 [lab.example.org] false
	// Rosalind's laptop cannot be listed: denied
	// Workstation in room 51 cannot be listed: denied
	// Diffraction, shared by Ada has 1
	// Public reference data has 4
	// Small project space has 1
	// Example Observatory wants 1 [] false
	// Old file server cannot be listed: no_collection
}
