package globus

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// How far CancelTask has come, if Transfer says so.
const (
	CancelDone     = "Canceled"       // the task has FAILED, with an event CANCELED
	CancelAccepted = "CancelAccepted" // it will: ask for the Task again
	CancelTooLate  = "TaskComplete"   // it had ended before; nothing was cancelled
)

// CancelTask ends a task of the person's, which is named by its UUID. Files that have
// arrived stay. It returns CancelDone, CancelAccepted, CancelTooLate, or another
// word of Transfer's. The error is an *Error, its KindOf KindNotFound if the person
// has no such task, or what the TokenFunc returned.
func (t *Transfer) CancelTask(ctx context.Context, id string) (code string, err error) {
	var answer struct{ Code string }
	if err := t.send(ctx, http.MethodPost, "/task/"+url.PathEscape(id)+"/cancel", nil, &answer); err != nil {
		return "", err
	}
	return answer.Code, nil
}

// A TaskEvent is something that happened to a task.
type TaskEvent struct {
	Code        string    `json:"code"`        // such as STARTED or PERMISSION_DENIED
	Description string    `json:"description"` // the same in words
	Details     string    `json:"details"`     // what the collection's server said, in many lines, or JSON
	IsError     bool      `json:"is_error"`    // counts as one of Task.Faults, or ended the task
	Time        time.Time `json:"time"`        // zero if Transfer does not say
}

// UnmarshalJSON reads the time as Transfer writes it. What has another type than
// usual is unknown: the zero value.
func (e *TaskEvent) UnmarshalJSON(b []byte) error {
	type plain TaskEvent
	event := struct {
		*plain
		Time transferTime `json:"time"`
	}{plain: (*plain)(e)}
	_ = json.Unmarshal(b, &event)
	e.Time = event.Time.Time
	return nil
}

// An EventQuery says which events of a task to list.
type EventQuery struct {
	ErrorsOnly bool // leaves out what is no error
	PageSize   int  // how many to ask Transfer for at a time; 0 or less means 100
}

// TaskEvents lists what happened to a task, the latest first, and fetches it page by
// page as it is asked for. Globus keeps the details for about a month. The error,
// which is the last thing it yields, is as that of Task.
func (t *Transfer) TaskEvents(ctx context.Context, id string, q EventQuery) iter.Seq2[TaskEvent, error] {
	params := url.Values{}
	if q.ErrorsOnly {
		params.Set("filter", "is_error:1")
	}
	return byOffset[TaskEvent](ctx, t, "/task/"+url.PathEscape(id)+"/event_list", params, 0, q.PageSize)
}

// A TransferredFile is one that a task has copied. Transfer leaves out the path on a
// side where the person may not look.
type TransferredFile struct {
	Source      string `json:"source_path"`        // "" if Transfer does not say
	Destination string `json:"destination_path"`   // likewise
	Size        int64  `json:"size"`               // in bytes
	Checksum    string `json:"checksum"`           // "" if there is none
	Algorithm   string `json:"checksum_algorithm"` // of Checksum, such as MD5; "" if there is none
}

// SuccessfulTransfers lists the files that a task has copied: no folders, and none
// that it has skipped. The error is as that of TaskEvents.
func (t *Transfer) SuccessfulTransfers(ctx context.Context, id string) iter.Seq2[TransferredFile, error] {
	return byMarker[TransferredFile](ctx, t, "/task/"+url.PathEscape(id)+"/successful_transfers")
}

// A SkippedError is a file that a task with TransferRequest.SkipErrors has left out.
type SkippedError struct {
	Code        string    `json:"error_code"`       // such as FILE_NOT_FOUND or PERMISSION_DENIED
	Details     string    `json:"error_details"`    // what the collection's server said
	Time        time.Time `json:"error_time"`       // zero if Transfer does not say
	Source      string    `json:"source_path"`      // "" if Transfer does not say
	Destination string    `json:"destination_path"` // likewise
	IsDir       bool      `json:"is_directory"`     // it is a folder
}

// UnmarshalJSON reads the time as Transfer writes it. What has another type than
// usual is unknown: the zero value.
func (s *SkippedError) UnmarshalJSON(b []byte) error {
	type plain SkippedError
	skipped := struct {
		*plain
		Time transferTime `json:"error_time"`
	}{plain: (*plain)(s)}
	_ = json.Unmarshal(b, &skipped)
	s.Time = skipped.Time.Time
	return nil
}

// SkippedErrors lists the files that a task has left out because of an error. The
// error is as that of TaskEvents.
func (t *Transfer) SkippedErrors(ctx context.Context, id string) iter.Seq2[SkippedError, error] {
	return byMarker[SkippedError](ctx, t, "/task/"+url.PathEscape(id)+"/skipped_errors")
}

// PauseInfo says why a task is paused, in the words of those who have paused it.
type PauseInfo struct {
	Source      string `json:"source_pause_message"`      // of the source's managers; "": they say nothing
	Destination string `json:"destination_pause_message"` // likewise
	// Rules say why the task is paused.
	Rules []struct {
		Message      string `json:"message"`
		CollectionID string `json:"endpoint_id"`
		Collection   string `json:"endpoint_display_name"`
	} `json:"pause_rules"`
}

// PauseInfo returns why a task is paused: see Task.Paused. The error is as that of
// Task.
func (t *Transfer) PauseInfo(ctx context.Context, id string) (*PauseInfo, error) {
	var info PauseInfo
	if err := t.get(ctx, "/task/"+url.PathEscape(id)+"/pause_info", nil, &info); err != nil {
		return nil, err
	}
	return &info, nil
}

// byOffset lists what Transfer has at a path, page by page. Transfer says where it
// ends by total or by has_next_page, or sends an empty page.
func byOffset[T any](ctx context.Context, t *Transfer, path string, params url.Values, offset, size int) iter.Seq2[T, error] {
	if size <= 0 {
		size = 100
	}
	return func(yield func(T, error) bool) {
		for offset := max(offset, 0); ; {
			var page struct {
				Data    []T   `json:"DATA"`
				Total   *int  `json:"total"`
				HasNext *bool `json:"has_next_page"`
			}
			params.Set("limit", strconv.Itoa(size))
			params.Set("offset", strconv.Itoa(offset))
			if err := t.get(ctx, path, params, &page); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page.Data {
				if !yield(one, nil) {
					return
				}
			}
			offset += len(page.Data)
			switch {
			case len(page.Data) == 0,
				page.HasNext != nil && !*page.HasNext,
				page.HasNext == nil && page.Total != nil && offset >= *page.Total,
				page.HasNext == nil && page.Total == nil:
				return
			}
		}
	}
}

// byMarker likewise, where each page names the next.
func byMarker[T any](ctx context.Context, t *Transfer, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for params := (url.Values{}); ; {
			var page struct {
				Data []T         `json:"DATA"`
				Next json.Number `json:"next_marker"`
			}
			if err := t.get(ctx, path, params, &page); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page.Data {
				if !yield(one, nil) {
					return
				}
			}
			if next := page.Next.String(); next == "" || next == params.Get("marker") {
				return
			}
			params.Set("marker", page.Next.String())
		}
	}
}
