package globus

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"
)

// A Submission is Transfer's response to a TransferRequest or a DeleteRequest.
type Submission struct {
	TaskID  string `json:"task_id"` // of the task, which may not run yet
	Code    string `json:"code"`    // Accepted or Duplicate
	Message string `json:"message"` // Transfer's sentence for people
}

// Duplicate reports whether an earlier request with the same SubmissionID created the
// task. That is a success: the response to the earlier request may have been lost.
func (s Submission) Duplicate() bool { return s.Code == "Duplicate" }

// SubmissionID returns a new submission id for a TransferRequest or a DeleteRequest. It
// is not the task's id. Put it into the form that the person sends: a double click, a
// reload or a retry after a lost response then creates only one task. The error is an
// *Error or the error of the TokenFunc.
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
	Destination  string         // UUID of a collection, which may be Source; required
	Items        []TransferItem // what to copy; at least one

	Label    string    // the task's name for the person, without the characters that Globus rejects; "": no label
	Deadline time.Time // when Transfer cancels the task; zero: a day after the request, or three days after the last copied file

	Sync          SyncLevel    // which files to copy if the destination has them; zero: all
	SkipVerify    bool         // do not compare checksums after the copy; false: compare them, as Globus's own programs do
	PreserveTimes bool         // copy the modification times; false: a copy's modification time is the time of the transfer
	Encrypt       bool         // encrypt the transfer even if neither collection requires it
	SkipErrors    bool         // skip source files that are missing or denied; false: retry until Deadline
	FailOnQuota   bool         // fail if the destination is full; false: retry until Deadline
	DeleteExtra   bool         // delete files from destination folders that the source folders do not have
	Filters       []FilterRule // which files of a folder to copy; nil: all

	NoMail NoMail // e-mails that Globus does not send; zero: it sends all
}

// A TransferItem is one file or folder to copy, and its destination.
type TransferItem struct {
	Source string // path from the root of the collection, or from the person's home if it begins with /~/

	// Destination is the full path of the copy, with its name. If Source is a folder,
	// its content is copied into the folder Destination. Transfer creates missing
	// folders.
	Destination string

	Type string // EntryDir or EntryFile: Transfer fails if Source is the other; "": Transfer finds out

	// Checksum is the expected checksum of the file, and ChecksumAlgorithm its
	// algorithm, such as sha256. "": Transfer does not check it.
	Checksum, ChecksumAlgorithm string
}

// A SyncLevel says which files a transfer copies if the destination has them already.
type SyncLevel int

// The sync levels.
const (
	SyncAll      SyncLevel = iota // every file
	SyncMissing                   // files that the destination does not have
	SyncSize                      // those, and files whose size differs
	SyncNewer                     // those, and files that are newer at the source
	SyncChecksum                  // those, and files whose checksum differs: both sides read every file
)

// A FilterRule includes or excludes files and folders by name. The first rule that
// matches a name decides; a name without a match is included. An excluded folder is
// excluded with its content.
type FilterRule struct {
	Exclude bool   // exclude what matches; false: include it
	Name    string // a pattern, such as *.tmp
	Type    string // EntryDir or EntryFile; "": both
}

// NoMail says which e-mails about a task Globus does not send. The zero value: it sends
// all.
type NoMail struct {
	Succeeded, Failed bool // the task has ended
	Inactive          bool // the task waits for the person
}

// SubmitTransfer creates a task that copies files. The task does not fail if a file is
// missing: see Task.Faults and TaskEvents. The error is an *Error or the error of the
// TokenFunc. Its KindOf is KindRequirements if a collection requires something of the
// person first, and KindConflict if a task with the same paths still runs. If
// KindOf(err).Temporary(), send the same request with the same SubmissionID again.
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
	Paths         []string  // what to delete; at least one
	Recursive     bool      // delete folders with their content; false: the task fails at a folder
	IgnoreMissing bool      // ignore paths that do not exist; false: the task fails at one
	Label         string    // as in TransferRequest
	Deadline      time.Time // as in TransferRequest
	NoMail        NoMail    // as in TransferRequest
}

// SubmitDelete creates a task that deletes files. Paths are not patterns: a * stands for
// itself. The errors are those of SubmitTransfer.
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

// document returns the members that every submission has.
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

// cleanLabel returns a label as Transfer accepts it: at most 128 characters in one line,
// with no space at either end.
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
