package globus

import (
	"encoding/json"
	"strconv"
	"time"
)

// A TaskStatus is where a transfer task stands.
type TaskStatus string

// Where a task may stand.
const (
	TaskActive    TaskStatus = "ACTIVE"
	TaskInactive  TaskStatus = "INACTIVE" // waits for somebody: credentials, consent, a session
	TaskSucceeded TaskStatus = "SUCCEEDED"
	TaskFailed    TaskStatus = "FAILED"
)

// A Task is one task of Globus Transfer, as task_list gives it. What Transfer
// sends as null is the zero value here.
type Task struct {
	ID     string     `json:"task_id"` // a UUID
	Type   string     `json:"type"`    // TRANSFER or DELETE
	Status TaskStatus `json:"status"`  // where it stands
	Label  string     `json:"label"`   // what the person calls it; often empty

	SourceID        string `json:"source_endpoint_id"`                // a UUID
	Source          string `json:"source_endpoint_display_name"`      // what its collection is called
	DestinationID   string `json:"destination_endpoint_id"`           // empty for a DELETE
	Destination     string `json:"destination_endpoint_display_name"` // likewise
	Files           int64  `json:"files"`                             // found so far
	FilesDone       int64  `json:"files_transferred"`                 // of Files
	FilesSkipped    int64  `json:"files_skipped"`                     // of Files: those that needed no transfer
	Directories     int64  `json:"directories"`                       // found so far
	Bytes           int64  `json:"bytes_transferred"`                 // so far
	BytesPerSecond  int64  `json:"effective_bytes_per_second"`        // on average
	SkippedErrors   int64  `json:"subtasks_skipped_errors"`           // files left out because of an error: see Transfer.SkippedErrors
	Faults          int64  `json:"faults"`                            // errors met so far; Transfer tries again by itself
	Paused          bool   `json:"is_paused"`                         // nothing moves
	NiceStatus      string `json:"nice_status"`                       // a word on how an active task fares, such as Queued
	NiceStatusShort string `json:"nice_status_short_description"`     // the same, for people

	Requested time.Time `json:"request_time"`    // when the person asked for it
	Completed time.Time `json:"completion_time"` // zero while it is not
	Deadline  time.Time `json:"deadline"`        // when Transfer gives it up

	FatalError *FatalError `json:"fatal_error"` // nil if there is none

	// Sync and SkipVerify are as in its TransferRequest; zero if Transfer does not say.
	Sync       SyncLevel `json:"-"`
	SkipVerify bool      `json:"-"`
}

// A FatalError is what ended a task.
type FatalError struct {
	Code        string `json:"code"`        // such as QUOTA_EXCEEDED
	Description string `json:"description"` // for people
}

// UnmarshalJSON reads times as Transfer writes them. What has another type than
// usual is unknown: the zero value, and so is a task that is no object.
func (t *Task) UnmarshalJSON(b []byte) error {
	type plain Task
	doc := struct {
		*plain
		Requested transferTime `json:"request_time"`
		Completed transferTime `json:"completion_time"`
		Deadline  transferTime `json:"deadline"`

		Sync   json.RawMessage `json:"sync_level"` // from 0, and null for SyncAll
		Verify json.RawMessage `json:"verify_checksum"`
	}{plain: (*plain)(t)}
	_ = json.Unmarshal(b, &doc)
	if level, err := strconv.Atoi(string(doc.Sync)); err == nil {
		t.Sync = SyncLevel(level) + 1
	}
	t.SkipVerify = string(doc.Verify) == "false"
	t.Requested, t.Completed, t.Deadline = doc.Requested.Time, doc.Completed.Time, doc.Deadline.Time
	return nil
}

// A transferTime is a time of Transfer's, with a T or a blank between date and
// time. One that cannot be read is unknown: zero.
type transferTime struct{ time.Time }

func (t *transferTime) UnmarshalJSON(b []byte) error {
	var s string
	_ = json.Unmarshal(b, &s)
	parsed, err := time.Parse(time.RFC3339, s)
	if err != nil {
		parsed, _ = time.Parse("2006-01-02 15:04:05Z07:00", s)
	}
	t.Time = parsed
	return nil
}
