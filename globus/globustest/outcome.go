package globustest

import (
	"math"
	"net/http"
)

// markerPage is the number of files on a page.
const markerPage = 100

// markerList responds with one page of a list whose pages name the marker of the next.
func markerList[T any](e *Emulator, r *http.Request, dataType string, all []T, document func(T) document) (any, error) {
	params, err := e.readQuery(r, "marker")
	if err != nil {
		return nil, err
	}
	from, ok := number(params, "marker", 0, 0, math.MaxInt32)
	if !ok {
		return nil, badParameter(r, "Invalid value for parameter 'marker'")
	}
	doc := map[string]any{"DATA_TYPE": dataType, "marker": from, "next_marker": nil}
	list := []any{}
	for i := from; i < len(all) && i < from+markerPage; i++ {
		list = append(list, document(all[i]))
	}
	if next := from + markerPage; next < len(all) {
		doc["next_marker"] = next
	}
	doc["DATA"] = list
	return doc, nil
}

// successfulTransfers lists the files that a task has copied, without directories and
// skipped files.
func (e *Emulator) successfulTransfers(r *http.Request, g grant) (any, error) {
	j, err := e.job(r, g)
	if err != nil {
		return nil, err
	}
	var copied []step
	if j.work != nil {
		copied = j.work.copied
	}
	return markerList(e, r, "successful_transfers", copied, func(s step) document {
		return document{
			"DATA_TYPE": "successful_transfer", "source_path": s.from, "destination_path": s.to, "size": s.size,
			"checksum": nil, "checksum_algorithm": nil, "dynamic": false,
		}
	})
}

// skippedErrors lists the files that a task has skipped because of an error.
func (e *Emulator) skippedErrors(r *http.Request, g grant) (any, error) {
	j, err := e.job(r, g)
	if err != nil {
		return nil, err
	}
	var skipped []skippedFile
	if j.work != nil {
		skipped = j.work.skipped
	}
	return markerList(e, r, "skipped_errors", skipped, func(s skippedFile) document {
		return document{
			"DATA_TYPE": "skipped_error", "source_path": s.from, "destination_path": s.to, "error_code": s.code,
			"error_details": "550-GlobusError: v=1 c=" + s.code + "\\r\\n550 End.\\r\\n", "error_time": transferTime(s.at),
			"is_directory": s.dir, "is_symlink": false, "is_delete_destination_extra": false, "external_checksum": nil, "checksum_algorithm": nil,
		}
	})
}

// pauseInfo says why a task is paused.
func (e *Emulator) pauseInfo(r *http.Request, g grant) (any, error) {
	if _, err := e.readQuery(r); err != nil {
		return nil, err
	}
	j, err := e.job(r, g)
	if err != nil {
		return nil, err
	}
	doc := document{
		"DATA_TYPE": "pause_info_limited", "source_pause_message": nil, "destination_pause_message": nil,
		"source_pause_message_share": nil, "destination_pause_message_share": nil,
	}
	rules := []document{}
	for name, s := range map[string]side{"source": j.source, "destination": j.destination} {
		if p := e.place(s.id); p != nil && p.Paused != "" {
			doc[name+"_pause_message"] = p.Paused
			rules = append(rules, document{
				"DATA_TYPE": "pause_rule_limited", "id": nameUUID(p.ID + " pause"), "message": p.Paused, "start_time": nil,
				"endpoint_id": p.ID, "endpoint_display_name": p.Name, "identity_id": nil, "pause_ls": true, "pause_mkdir": true, "pause_symlink": true,
				"pause_rename": true, "pause_task_delete": true, "pause_task_transfer_read": true, "pause_task_transfer_write": true,
			})
		}
	}
	doc["pause_rules"] = rules
	return doc, nil
}
