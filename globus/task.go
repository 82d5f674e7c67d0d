package globus

import (
	"encoding/json"
	"time"
)

// A TaskStatus is where a transfer task stands.
type TaskStatus string

const (
	TaskActive    TaskStatus = "ACTIVE"
	TaskInactive  TaskStatus = "INACTIVE" // waits for somebody: credentials, consent, a session
	TaskSucceeded TaskStatus = "SUCCEEDED"
	TaskFailed    TaskStatus = "FAILED"
)

// A Task is one task of Globus Transfer, as task_list gives it. What Transfer
// sends as null is the zero value here.
type Task struct {
	ID     string     `json:"task_id"`
	Type   string     `json:"type"` // TRANSFER or DELETE
	Status TaskStatus `json:"status"`
	Label  string     `json:"label"`

	SourceID        string `json:"source_endpoint_id"`
	Source          string `json:"source_endpoint_display_name"`
	DestinationID   string `json:"destination_endpoint_id"` // empty for a DELETE
	Destination     string `json:"destination_endpoint_display_name"`
	Files           int64  `json:"files"` // found so far
	FilesDone       int64  `json:"files_transferred"`
	FilesSkipped    int64  `json:"files_skipped"`
	Directories     int64  `json:"directories"`
	Bytes           int64  `json:"bytes_transferred"`
	BytesPerSecond  int64  `json:"effective_bytes_per_second"`
	Faults          int64  `json:"faults"` // errors met so far; Transfer tries again by itself
	Paused          bool   `json:"is_paused"`
	NiceStatus      string `json:"nice_status"` // a word on how an active task fares, such as Queued
	NiceStatusShort string `json:"nice_status_short_description"`

	Requested time.Time `json:"request_time"`
	Completed time.Time `json:"completion_time"` // zero while it is not
	Deadline  time.Time `json:"deadline"`

	FatalError *FatalError `json:"fatal_error"` // nil if there is none
}

// A FatalError is what ended a task.
type FatalError struct {
	Code        string `json:"code"`
	Description string `json:"description"`
}

// UnmarshalJSON reads times as Transfer writes them: with a T or a blank
// between date and time.
func (t *Task) UnmarshalJSON(b []byte) error {
	type plain Task
	times := struct {
		*plain
		Requested transferTime `json:"request_time"`
		Completed transferTime `json:"completion_time"`
		Deadline  transferTime `json:"deadline"`
	}{plain: (*plain)(t)}
	if err := json.Unmarshal(b, &times); err != nil {
		return err
	}
	t.Requested, t.Completed, t.Deadline = times.Requested.Time, times.Completed.Time, times.Deadline.Time
	return nil
}

// A transferTime is a time of Transfer's; null leaves it zero.
type transferTime struct{ time.Time }

func (t *transferTime) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		return err
	}
	parsed, err := time.Parse(time.RFC3339, *s)
	if err != nil {
		parsed, err = time.Parse("2006-01-02 15:04:05Z07:00", *s)
	}
	t.Time = parsed
	return err
}
