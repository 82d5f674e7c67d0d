package globus_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// move signs Ada in, at an emulator with two collections.
func move() (transfer *globus.Transfer, emulator *globustest.Server, stop func()) {
	client, signedIn, emulator := signInAt(globustest.Config{Collections: []globustest.Collection{
		{ID: instrument, Name: "Instrument", Description: "Detector images", Files: []globustest.File{{Path: "/run 1/a.tif", Size: 5}, {Path: "/run 1/b.tif", Size: 7}}},
		{ID: storage, Name: "Storage", DataAccess: true, Files: []globustest.File{{Path: "/inbox/"}}},
	}})
	return client.Transfer(client.Source(signedIn.Tokens, globus.TransferServer, nil).Fresh), emulator, emulator.Close
}

const (
	instrument = "5d9ba3c4-0000-4000-8000-000000000001"
	storage    = "5d9ba3c4-0000-4000-8000-000000000002"
)

// A folder is sent. The id of the submission is asked for when the form is shown, and
// sent back with it: whatever happens then, there is one task.
func ExampleTransfer_SubmitTransfer() {
	transfer, emulator, stop := move() // transfer is from Client.Transfer
	defer stop()
	ctx := context.Background() // of the request

	id, err := transfer.SubmissionID(ctx)
	if err != nil {
		log.Fatal(err)
	}
	request := globus.TransferRequest{
		SubmissionID: id,
		Source:       instrument,
		Destination:  instrument,
		Items:        []globus.TransferItem{{Source: "/run 1/", Destination: "/copy of run 1/"}},
		Label:        "Run 1",
		Sync:         globus.SyncChecksum,
	}
	sent, err := transfer.SubmitTransfer(ctx, request)
	if err != nil {
		log.Fatal(err)
	}
	again, err := transfer.SubmitTransfer(ctx, request) // a double click
	fmt.Println(again.Duplicate(), again.TaskID == sent.TaskID, err)

	emulator.PassTime(time.Minute) // at Globus it takes as long as it takes
	task, err := transfer.Task(ctx, sent.TaskID)
	fmt.Println(task.Status, task.FilesDone, "files", task.Bytes, "bytes", err)
	// Output:
	// true true <nil>
	// SUCCEEDED 2 files 12 bytes <nil>
}

// A collection may want something of the person before files are sent to it. The way
// on is as everywhere: a button that leads to Globus with the requirements, and back.
func ExampleKindOf() {
	transfer, _, stop := move() // transfer is from Client.Transfer
	defer stop()
	ctx := context.Background() // of the request

	id, err := transfer.SubmissionID(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = transfer.SubmitTransfer(ctx, globus.TransferRequest{
		SubmissionID: id, Source: instrument, Destination: storage,
		Items: []globus.TransferItem{{Source: "/run 1/", Destination: "/inbox/run 1/"}},
	})
	switch kind := globus.KindOf(err); {
	case kind == globus.KindRequirements:
		required, _ := globus.RequirementsOf(err)
		fmt.Println("allow", len(required.Scopes), "scope more")
	case kind.Temporary():
		fmt.Println("send the same request again") // with its SubmissionID
	}
	// Output: allow 1 scope more
}

// Files and folders are deleted by a task, too.
func ExampleTransfer_SubmitDelete() {
	transfer, emulator, stop := move() // transfer is from Client.Transfer
	defer stop()
	ctx := context.Background() // of the request

	id, err := transfer.SubmissionID(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = transfer.SubmitDelete(ctx, globus.DeleteRequest{
		SubmissionID: id, Collection: instrument, Paths: []string{"/run 1"}, Recursive: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	emulator.PassTime(time.Minute)
	_, err = transfer.Stat(ctx, instrument, "/run 1")
	fmt.Println(globus.KindOf(err))
	// Output: not_found
}

// What is wrong with a task that does not come to its end, and how to end it.
func ExampleTransfer_TaskEvents() {
	transfer, emulator, stop := move() // transfer is from Client.Transfer
	defer stop()
	ctx := context.Background() // of the request

	id, err := transfer.SubmissionID(ctx)
	if err != nil {
		log.Fatal(err)
	}
	sent, err := transfer.SubmitTransfer(ctx, globus.TransferRequest{
		SubmissionID: id, Source: instrument, Destination: instrument,
		Items: []globus.TransferItem{{Source: "/run 2/c.tif", Destination: "/c.tif"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	emulator.PassTime(30 * time.Second)
	for event, err := range transfer.TaskEvents(ctx, sent.TaskID, globus.EventQuery{ErrorsOnly: true}) {
		fmt.Println(event.Code, err)
	}
	code, err := transfer.CancelTask(ctx, sent.TaskID)
	fmt.Println(code == globus.CancelDone, err)
	// Output:
	// FILE_NOT_FOUND <nil>
	// true <nil>
}

// Which files have arrived, which were left out, and why a task is paused.
func ExampleTransfer_SuccessfulTransfers() {
	transfer, emulator, stop := move() // transfer is from Client.Transfer
	defer stop()
	ctx := context.Background() // of the request

	id, err := transfer.SubmissionID(ctx)
	if err != nil {
		log.Fatal(err)
	}
	sent, err := transfer.SubmitTransfer(ctx, globus.TransferRequest{
		SubmissionID: id, Source: instrument, Destination: instrument, SkipErrors: true,
		Items: []globus.TransferItem{{Source: "/run 1/a.tif", Destination: "/a.tif"}, {Source: "/none", Destination: "/none"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	emulator.PassTime(time.Minute)
	for file, err := range transfer.SuccessfulTransfers(ctx, sent.TaskID) {
		fmt.Println(file.Destination, file.Size, err)
	}
	for file, err := range transfer.SkippedErrors(ctx, sent.TaskID) {
		fmt.Println(file.Source, file.Code, err)
	}
	info, err := transfer.PauseInfo(ctx, sent.TaskID)
	fmt.Println(len(info.Rules), err)
	// Output:
	// /a.tif 5 <nil>
	// /none FILE_NOT_FOUND <nil>
	// 0 <nil>
}

// Collections are found by words, by what the person has to do with them, and by id.
func ExampleTransfer_SearchCollections() {
	transfer, _, stop := move() // transfer is from Client.Transfer
	defer stop()
	ctx := context.Background() // of the request

	for c, err := range transfer.SearchCollections(ctx, globus.CollectionQuery{Text: "detect"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.Name(), c.IsGuest())
	}
	c, err := transfer.Collection(ctx, storage)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Name(), c.NeedsDataAccess())
	// Output:
	// Instrument true
	// Storage true
}

// A bookmark leads back to a folder.
func ExampleTransfer_CreateBookmark() {
	transfer, _, stop := move() // transfer is from Client.Transfer
	defer stop()
	ctx := context.Background() // of the request

	made, err := transfer.CreateBookmark(ctx, globus.Bookmark{Name: "Run 1", CollectionID: instrument, Path: "/run 1/"})
	if err != nil {
		log.Fatal(err)
	}
	all, err := transfer.Bookmarks(ctx)
	fmt.Println(len(all), all[0].Name, err)
	fmt.Println(transfer.DeleteBookmark(ctx, made.ID))
	// Output:
	// 1 Run 1 <nil>
	// <nil>
}

// A folder is made on the spot, renamed, and looked at.
func ExampleTransfer_Mkdir() {
	transfer, _, stop := move() // transfer is from Client.Transfer
	defer stop()
	ctx := context.Background() // of the request

	err := transfer.Mkdir(ctx, instrument, "/new")
	if err != nil && globus.KindOf(err) != globus.KindExists { // which is as good
		log.Fatal(err)
	}
	if err := transfer.Rename(ctx, instrument, "/new", "/run 2"); err != nil {
		log.Fatal(err)
	}
	entry, err := transfer.Stat(ctx, instrument, "/run 2")
	fmt.Println(entry.Name, entry.IsDir(), err)
	// Output: run 2 true <nil>
}

// Who is behind an identity: the owner of a collection, say.
func ExampleClient_Identities() {
	client, signedIn, stop := signIn() // client is from New, signedIn from Exchange
	defer stop()

	all, err := client.Identities(context.Background(), signedIn.Identity.Subject)
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range all {
		fmt.Println(id.Username, id.Name, id.ProviderName)
	}
	// Output: ada@example.edu Ada Lovelace Example University
}

// A program moves data by itself, at night, and nobody has signed in.
func ExampleClient_ClientSource() {
	client, _, stop := signIn() // client is from New
	defer stop()

	source := client.ClientSource(globus.TransferServer, globus.TransferScope)
	transfer := client.Transfer(source.Fresh)
	n := 0
	for _, err := range transfer.TaskList(context.Background(), globus.TaskQuery{}) {
		if err != nil {
			log.Fatal(err)
		}
		n++
	}
	fmt.Println(n, "tasks of the app's own")
	// Output: 0 tasks of the app's own
}
