package globustest

import (
	"maps"
	"strings"
	"time"

	"example.org/portal/globus"
)

// A history is the tasks of a person at one moment.
type history struct {
	Person
	began time.Time // when the person was first shown them
	now   time.Time
}

// age is how long ago t was requested.
func (h history) age(t Task) time.Duration { return h.now.Sub(h.began.Add(-t.Ago)) }

// document is t as Transfer sends it alone; in a list it has no DATA_TYPE. It has
// every member that Globus has been seen to send, and one that is new: there may
// be more any day.
func (h history) document(t Task) map[string]any {
	status, done := t.at(h.age(t))
	requested := h.began.Add(-t.Ago)
	doc := map[string]any{
		"DATA_TYPE":                         "task",
		"task_id":                           t.ID,
		"type":                              t.Type,
		"status":                            status,
		"label":                             orNull(t.Label),
		"owner_id":                          h.Claims.Sub,
		"username":                          userName(h.Claims.Sub),
		"request_time":                      transferTime(requested),
		"completion_time":                   nil,
		"deadline":                          transferTime(requested.Add(7 * 24 * time.Hour)),
		"source_endpoint":                   userName(t.Source) + "#" + nameUUID(t.Source),
		"source_endpoint_id":                nameUUID(t.Source),
		"source_endpoint_display_name":      t.Source,
		"destination_endpoint":              nil,
		"destination_endpoint_id":           nil,
		"destination_endpoint_display_name": nil,
		"directories":                       t.Directories,
		"faults":                            t.Faults,
		"fatal_error":                       t.FatalError,
		"is_paused":                         t.Paused,
		"command":                           "API 0.10",
		"new_at_globus":                     map[string]any{"since": "yesterday", "why": nil},
	}
	maps.Copy(doc, options())
	maps.Copy(doc, t.niceness(status))
	maps.Copy(doc, t.counts(status, done))
	if t.Type == transferType {
		doc["destination_endpoint"] = userName(t.Destination) + "#" + nameUUID(t.Destination)
		doc["destination_endpoint_id"] = nameUUID(t.Destination)
		doc["destination_endpoint_display_name"] = t.Destination
	}
	ran := h.age(t)
	if ended(status) {
		ran = t.Takes
		doc["completion_time"] = transferTime(requested.Add(ran))
	}
	doc["effective_bytes_per_second"] = int64(float64(share(t.Bytes, done)) / max(1, ran.Seconds()))
	return t.Edit.apply(doc)
}

// niceness is how a task fares that has not ended; one that has is all nulls.
func (t Task) niceness(status globus.TaskStatus) map[string]any {
	doc := map[string]any{
		"is_ok":                         nil,
		"nice_status":                   nil,
		"nice_status_details":           nil,
		"nice_status_expires_in":        nil,
		"nice_status_short_description": nil,
	}
	if ended(status) || t.Nice == "" {
		return doc
	}
	doc["is_ok"] = t.Nice == "OK" || t.Nice == "Queued"
	doc["nice_status"] = t.Nice
	doc["nice_status_short_description"] = orNull(t.NiceWords)
	doc["nice_status_expires_in"] = -1
	return doc
}

// counts are the numbers that grow. A task that progresses finds its files in
// the first half of its time.
func (t Task) counts(status globus.TaskStatus, done float64) map[string]any {
	found := t.Files
	if t.progresses() {
		found = share(t.Files, min(1, 2*done))
	}
	skipped, finished := share(t.Skipped, done), share(t.Files, done)
	transferred := finished - skipped
	if t.Type == deleteType {
		transferred = 0
	}
	doc := map[string]any{
		"files":                   found,
		"files_transferred":       transferred,
		"files_skipped":           skipped,
		"symlinks":                0,
		"bytes_transferred":       share(t.Bytes, done),
		"bytes_checksummed":       0,
		"subtasks_total":          found + 1, // the search for files is one
		"subtasks_succeeded":      finished + 1,
		"subtasks_pending":        found - finished,
		"subtasks_retrying":       0,
		"subtasks_failed":         0,
		"subtasks_canceled":       0,
		"subtasks_expired":        0,
		"subtasks_skipped_errors": 0,
	}
	if status == globus.TaskFailed {
		doc["subtasks_pending"], doc["subtasks_failed"] = 0, found-finished
	}
	return doc
}

// options are what was asked for with the task: of them all the usual.
func options() map[string]any {
	return map[string]any{
		"canceled_by_admin":         nil,
		"canceled_by_admin_message": nil,
		"delete_destination_extra":  false,
		"destination_base_path":     nil,
		"encrypt_data":              true,
		"fail_on_quota_errors":      false,
		"filter_rules":              nil,
		"history_deleted":           false,
		"preserve_timestamp":        false,
		"recursive_symlinks":        "ignore",
		"skip_source_errors":        false,
		"source_base_path":          nil,
		"sync_level":                nil,
		"verify_checksum":           true,
	}
}

// share is so much of n, and n itself when all is done, however large.
func share(n int64, done float64) int64 {
	if done == 1 {
		return n
	}
	return int64(float64(n) * done)
}

// userName has the form of those that Globus makes up.
func userName(name string) string { return "u_" + strings.ReplaceAll(nameUUID(name), "-", "")[:26] }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// transferTime is a time as Transfer writes it: never with a Z.
func transferTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }
