package globus

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"
)

// A Submission is what Transfer has made of a TransferRequest or a DeleteRequest: a
// task, which may still wait to run.
type Submission struct {
	TaskID  string `json:"task_id"` // of the task that the submission made
	Code    string `json:"code"`    // Accepted, or Duplicate
	Message string `json:"message"` // for people, in Transfer's words
}

// Duplicate reports whether the task was there already: a request with the same
// SubmissionID had arrived before, and its answer was lost perhaps. That is a
// success, too.
func (s Submission) Duplicate() bool { return s.Code == "Duplicate" }

// SubmissionID returns a new id for a TransferRequest or a DeleteRequest: not the
// task's. Ask for one before the person can press a button, and keep it with what
// they choose: then a double click, a reload, and a retry after a lost answer make
// one task. The error is an *Error or what the TokenFunc returned.
func (t *Transfer) SubmissionID(ctx context.Context) (string, error) {
	var answer struct{ Value string }
	if err := t.get(ctx, "/submission_id", nil, &answer); err != nil {
		return "", err
	}
	if answer.Value == "" {
		return "", malformed("the answer is no submission id")
	}
	return answer.Value, nil
}

// A TransferRequest says what to copy from one collection to another.
type TransferRequest struct {
	SubmissionID string         // from Transfer.SubmissionID; required
	Source       string         // UUID of a collection; required
	Destination  string         // likewise; it may be the same
	Items        []TransferItem // what to copy; one at least

	Label    string    // what the person calls it; what Globus would refuse in it is left out; "": no label
	Deadline time.Time // when Transfer gives it up; zero: a day after the request, or three after the last file that arrived

	Sync          SyncLevel    // which of the files to copy; zero: all
	SkipVerify    bool         // do not compare checksums of what has arrived; false: compare them, as Globus's own programs do
	PreserveTimes bool         // files keep the time when they were changed; false: they are changed now
	Encrypt       bool         // encrypt what is on its way, also where neither collection demands it
	SkipErrors    bool         // leave out source files that are missing or denied; false: try again until Deadline
	FailOnQuota   bool         // fail when the destination is full; false: try again until Deadline
	DeleteExtra   bool         // delete from destination folders what the source does not have
	Filters       []FilterRule // which files of a folder to copy; nil: all

	NoMail NoMail // about what not to write; the zero value writes about everything
}

// A TransferItem is one file or folder to copy, and where to.
type TransferItem struct {
	Source string // path from the root of the collection, or from the person's home if it begins with /~/

	// Destination is the full path of the copy: of a file with its name, of a folder
	// the folder that its content is put into. Folders above it are made.
	Destination string

	Type string // EntryDir or EntryFile, which Transfer holds it to; "": Transfer finds out

	// Checksum of the file, to compare the copy with, and what it is of, such as
	// sha256. "": none.
	Checksum, ChecksumAlgorithm string
}

// A SyncLevel says which files a transfer copies, when there is one at the
// destination already.
type SyncLevel int

// The sync levels.
const (
	SyncAll      SyncLevel = iota // every file
	SyncMissing                   // only files that the destination does not have
	SyncSize                      // and those of another size
	SyncNewer                     // and those that were changed later at the source
	SyncChecksum                  // and those whose content differs: everything is read
)

// A FilterRule includes or excludes files and folders by their name. The first rule
// that fits counts; what none fits is included. Of a folder that is excluded nothing
// is copied.
type FilterRule struct {
	Exclude bool   // false includes what fits
	Name    string // a pattern, such as *.tmp
	Type    string // EntryDir or EntryFile; "": both
}

// NoMail says of what Globus shall not tell the person by e-mail. The zero value:
// of nothing, it tells all.
type NoMail struct {
	Succeeded, Failed bool // how the task ended
	Inactive          bool // the task waits for the person
}

// SubmitTransfer makes a task that copies files. A file that is missing does not make
// it fail: see Task.Faults and TaskEvents. The error is an *Error or what the
// TokenFunc returned; its KindOf tells KindRequirements, when a collection wants
// something of the person first, from KindConflict, when a task with the same paths
// still runs. If there was no answer, or KindOf says that it may be retried, send
// the same request again, with the same SubmissionID.
func (t *Transfer) SubmitTransfer(ctx context.Context, r TransferRequest) (*Submission, error) {
	doc := r.NoMail.document("transfer", r.SubmissionID, r.Label, r.Deadline)
	doc["source_endpoint"], doc["destination_endpoint"] = r.Source, r.Destination
	doc["verify_checksum"] = !r.SkipVerify
	for name, on := range map[string]bool{
		"preserve_timestamp": r.PreserveTimes, "encrypt_data": r.Encrypt, "skip_source_errors": r.SkipErrors,
		"fail_on_quota_errors": r.FailOnQuota, "delete_destination_extra": r.DeleteExtra,
	} {
		if on {
			doc[name] = true
		}
	}
	if r.Sync > SyncAll {
		doc["sync_level"] = int(r.Sync) - 1
	}
	items := []map[string]any{}
	for _, item := range r.Items {
		items = append(items, item.document())
	}
	doc["DATA"] = items
	if rules := filterRules(r.Filters); rules != nil {
		doc["filter_rules"] = rules
	}
	return t.submit(ctx, "/transfer", doc)
}

func (item TransferItem) document() map[string]any {
	doc := map[string]any{"DATA_TYPE": "transfer_item", "source_path": item.Source, "destination_path": item.Destination}
	if item.Type != "" {
		doc["recursive"] = item.Type == EntryDir
	}
	if item.Checksum != "" {
		doc["external_checksum"], doc["checksum_algorithm"] = item.Checksum, item.ChecksumAlgorithm
	}
	return doc
}

func filterRules(rules []FilterRule) (docs []map[string]any) {
	for _, rule := range rules {
		doc := map[string]any{"DATA_TYPE": "filter_rule", "method": "include", "name": rule.Name}
		if rule.Exclude {
			doc["method"] = "exclude"
		}
		if rule.Type != "" {
			doc["type"] = rule.Type
		}
		docs = append(docs, doc)
	}
	return docs
}

// A DeleteRequest says what to delete from a collection.
type DeleteRequest struct {
	SubmissionID  string    // from Transfer.SubmissionID; required
	Collection    string    // its UUID; required
	Paths         []string  // what to delete; one at least
	Recursive     bool      // also folders, with all that is in them; false: one makes the task fail
	IgnoreMissing bool      // what is not there counts as deleted; false: it makes the task fail
	Label         string    // as in TransferRequest
	Deadline      time.Time // likewise
	NoMail        NoMail    // as in TransferRequest
}

// SubmitDelete makes a task that deletes files. No path is a pattern: * is a name. The
// error is as that of SubmitTransfer.
func (t *Transfer) SubmitDelete(ctx context.Context, r DeleteRequest) (*Submission, error) {
	doc := r.NoMail.document("delete", r.SubmissionID, r.Label, r.Deadline)
	doc["endpoint"], doc["recursive"], doc["ignore_missing"], doc["interpret_globs"] = r.Collection, r.Recursive, r.IgnoreMissing, false
	items := []map[string]any{}
	for _, path := range r.Paths {
		items = append(items, map[string]any{"DATA_TYPE": "delete_item", "path": path})
	}
	doc["DATA"] = items
	return t.submit(ctx, "/delete", doc)
}

// document has what every submission has.
func (m NoMail) document(dataType, id, label string, deadline time.Time) map[string]any {
	doc := map[string]any{"DATA_TYPE": dataType, "submission_id": id}
	if label = cleanLabel(label); label != "" {
		doc["label"] = label
	}
	if !deadline.IsZero() {
		doc["deadline"] = deadline.UTC().Format(time.RFC3339)
	}
	for name, off := range map[string]bool{"notify_on_succeeded": m.Succeeded, "notify_on_failed": m.Failed, "notify_on_inactive": m.Inactive} {
		if off {
			doc[name] = false
		}
	}
	return doc
}

// cleanLabel makes of a label what Transfer takes: at most 128 characters in one line,
// with no blank at its ends.
func cleanLabel(label string) string {
	runes := []rune(strings.TrimSpace(tidy(label)))
	return strings.TrimSpace(string(runes[:min(len(runes), 128)]))
}

func (t *Transfer) submit(ctx context.Context, path string, doc map[string]any) (*Submission, error) {
	var s Submission
	if err := t.send(ctx, http.MethodPost, path, doc, &s); err != nil {
		return nil, err
	}
	if s.TaskID == "" {
		return nil, malformed("the answer names no task")
	}
	s.Code = cmp.Or(s.Code, "Accepted")
	return &s, nil
}
