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

// The codes that CancelTask returns. Transfer may send others.
const (
	CancelDone     = "Canceled"       // the task is FAILED, with an event CANCELED
	CancelAccepted = "CancelAccepted" // Transfer will cancel the task: call Task again
	CancelTooLate  = "TaskComplete"   // the task had already ended
)

// CancelTask cancels the person's task with a UUID. Files that were copied stay. It
// returns one of the codes above. The error is an *Error or the error of the TokenFunc; its KindOf is KindNotFound if the
// person has no such task.
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
	Description string    `json:"description"` // the code in words
	Details     string    `json:"details"`     // response of the collection's server: several lines of text, or JSON
	IsError     bool      `json:"is_error"`    // the event is one of Task.Faults, or ended the task
	Time        time.Time `json:"time"`        // zero if Transfer does not say
}

// UnmarshalJSON reads the time in Transfer's format, and leaves out members of an
// unexpected type.
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
	ErrorsOnly bool // only events whose IsError is true
	PageSize   int  // events per request; 0 or less: 100
}

// TaskEvents lists the events of a task, the latest first. It fetches them page by page
// while the caller iterates. Globus keeps them for about a month. After an error it
// stops. The errors are those of Task.
func (t *Transfer) TaskEvents(ctx context.Context, id string, q EventQuery) iter.Seq2[TaskEvent, error] {
	params := url.Values{}
	if q.ErrorsOnly {
		params.Set("filter", "is_error:1")
	}
	return byOffset[TaskEvent](ctx, t, "/task/"+url.PathEscape(id)+"/event_list", params, 0, q.PageSize)
}

// A TransferredFile is a file that a task has copied. Transfer leaves out a path if the
// person has no permission to see it.
type TransferredFile struct {
	Source      string `json:"source_path"`        // "" if Transfer does not say
	Destination string `json:"destination_path"`   // "" if Transfer does not say
	Size        int64  `json:"size"`               // in bytes
	Checksum    string `json:"checksum"`           // "": none
	Algorithm   string `json:"checksum_algorithm"` // of Checksum, such as MD5; "": none
}

// SuccessfulTransfers lists the files that a task has copied, without folders and
// skipped files. The errors are those of TaskEvents.
func (t *Transfer) SuccessfulTransfers(ctx context.Context, id string) iter.Seq2[TransferredFile, error] {
	return byMarker[TransferredFile](ctx, t, "/task/"+url.PathEscape(id)+"/successful_transfers")
}

// A SkippedError is a file that a task skipped because of TransferRequest.SkipErrors.
type SkippedError struct {
	Code        string    `json:"error_code"`       // such as FILE_NOT_FOUND or PERMISSION_DENIED
	Details     string    `json:"error_details"`    // response of the collection's server
	Time        time.Time `json:"error_time"`       // zero if Transfer does not say
	Source      string    `json:"source_path"`      // "" if Transfer does not say
	Destination string    `json:"destination_path"` // "" if Transfer does not say
	IsDir       bool      `json:"is_directory"`     // it is a folder
}

// UnmarshalJSON reads the time in Transfer's format, and leaves out members of an
// unexpected type.
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

// SkippedErrors lists the files that a task skipped because of an error. The errors are
// those of TaskEvents.
func (t *Transfer) SkippedErrors(ctx context.Context, id string) iter.Seq2[SkippedError, error] {
	return byMarker[SkippedError](ctx, t, "/task/"+url.PathEscape(id)+"/skipped_errors")
}

// PauseInfo says why a task is paused, in the words of the collections' managers.
type PauseInfo struct {
	Source      string `json:"source_pause_message"`      // from the managers of the source; "": none
	Destination string `json:"destination_pause_message"` // from the managers of the destination; "": none

	// Rules are the pause rules that apply to the task.
	Rules []struct {
		Message      string `json:"message"`
		CollectionID string `json:"endpoint_id"`
		Collection   string `json:"endpoint_display_name"`
	} `json:"pause_rules"`
}

// PauseInfo returns why a task is paused: see Task.Paused. The errors are those of Task.
func (t *Transfer) PauseInfo(ctx context.Context, id string) (*PauseInfo, error) {
	var info PauseInfo
	if err := t.get(ctx, "/task/"+url.PathEscape(id)+"/pause_info", nil, &info); err != nil {
		return nil, err
	}
	return &info, nil
}

// byOffset lists the documents at a path, page by page. The last page is known by total,
// by has_next_page, or because it is empty.
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

// byMarker lists the documents at a path where each page has the marker of the next.
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
			next := page.Next.String()
			if next == "" || next == params.Get("marker") {
				return
			}
			params.Set("marker", next)
		}
	}
}
