package globustest

import (
	_ "embed"
	"encoding/json"
	"math"
	"net/http"
	"slices"
)

//go:embed task.json
var taskJSON []byte

func readTemplate(text []byte) (template document) {
	if err := json.Unmarshal(text, &template); err != nil {
		panic(err) // it is part of the program
	}
	return template
}

// What task_list does without a limit, or with a larger one, is not known for certain.
const (
	defaultLimit = 10
	largestLimit = 1000
)

// taskList lists the tasks of a person, in no particular order without orderby.
func (e *Emulator) taskList(r *http.Request, g grant) (any, error) {
	jobs, largest := e.jobs(g.Person), math.MaxInt32
	if e.strict {
		largest = largestLimit
	}
	q, _, err := e.readListing(r, taskTemplate, defaultLimit, largest)
	if err != nil {
		return nil, err
	}
	q.limit = min(q.limit, largestLimit)
	edits := map[any]Edit{}
	var all []document
	for _, j := range jobs {
		edits[j.id] = j.edit
		all = append(all, j.document(e.taskTime()))
	}
	all = q.filterAndSort(all)
	list := []document{}
	for _, doc := range q.page(all) {
		doc = edits[doc["task_id"]].apply(doc)
		delete(doc, "DATA_TYPE")
		list = append(list, q.only(e.lie.Task.apply(doc)))
	}
	return e.lie.TaskList.apply(document{
		"DATA_TYPE":     "task_list",
		"DATA":          list,
		"length":        len(list),
		"limit":         q.limit,
		"offset":        q.offset,
		"total":         len(all),
		"new_at_globus": nil,
	}), nil
}

// task responds with one task. Tasks of other people do not exist for the person.
func (e *Emulator) task(r *http.Request, g grant) (any, error) {
	params, err := e.readQuery(r, "fields")
	if err != nil {
		return nil, err
	}
	j, err := e.job(r, g)
	if err != nil {
		return nil, err
	}
	q := query{fields: commaList(params, "fields")}
	return q.only(e.lie.Task.apply(j.edit.apply(j.document(e.taskTime())))), nil
}

// job finds the task in the request's path.
func (e *Emulator) job(r *http.Request, g grant) (*job, error) {
	id := segment(r, TaskPath)
	jobs := e.jobs(g.Person)
	i := slices.IndexFunc(jobs, func(j *job) bool { return j.id == id })
	if i < 0 {
		return nil, transferRefusal(r, http.StatusNotFound, "ClientError.NotFound", "No task found with id '"+id+"'")
	}
	return jobs[i], nil
}

// cancelTask cancels a task that still runs.
func (e *Emulator) cancelTask(r *http.Request, g grant) (any, error) {
	j, err := e.job(r, g)
	if err != nil {
		return nil, err
	}
	if ended(j.status) {
		return result(r, "result", "TaskComplete", "The task completed before the cancel request was processed."), nil
	}
	j.fail(e.taskTime(), "CANCELED", "Canceled by the task owner")
	return result(r, "result", "Canceled", "The task has been cancelled successfully."), nil
}

// updateTask changes the label or the deadline of a task that still runs.
func (e *Emulator) updateTask(r *http.Request, g grant) (any, error) {
	var body struct{ Label, Deadline *string }
	if err := e.readBody(r, "task", &body, "label", "deadline"); err != nil {
		return nil, err
	}
	j, err := e.job(r, g)
	if err != nil {
		return nil, err
	}
	if ended(j.status) {
		return nil, transferRefusal(r, http.StatusConflict, "Conflict", "The task has ended")
	}
	if body.Label != nil {
		if !isLabel(*body.Label) {
			return nil, badParameter(r, "Invalid label")
		}
		j.label = *body.Label
	}
	if body.Deadline != nil {
		deadline, err := readTime(*body.Deadline)
		if err != nil {
			return nil, badParameter(r, "Invalid deadline")
		}
		j.deadline = deadline
	}
	return result(r, "result", "Updated", "Updated task successfully"), nil
}

// serveTask is the endpoint of one task.
func (e *Emulator) serveTask(r *http.Request, g grant) (any, error) {
	if r.Method == http.MethodPut {
		return e.updateTask(r, g)
	}
	return e.task(r, g)
}

// eventTemplate is the document of an event, as recorded by globus/globus-cli in
// tests/files/api_fixtures/task_event_list.yaml.
var eventTemplate = document{"DATA_TYPE": "event", "code": nil, "description": nil, "details": nil, "is_error": false, "time": nil}

// eventList lists the events of a task, the latest first.
func (e *Emulator) eventList(r *http.Request, g grant) (any, error) {
	j, err := e.job(r, g)
	if err != nil {
		return nil, err
	}
	q, _, err := e.readListing(r, eventTemplate, defaultLimit, largestLimit)
	if err != nil {
		return nil, err
	}
	all := []document{}
	for _, ev := range slices.Backward(j.events) {
		all = append(all, document{
			"DATA_TYPE": "event", "code": ev.code, "description": inWords(ev.code),
			"details": ev.details, "is_error": ev.isError, "time": transferTime(ev.at),
		})
	}
	all = q.filterAndSort(all)
	list := q.part(all)
	return document{"DATA_TYPE": "event_list", "DATA": list, "length": len(list), "limit": q.limit, "offset": q.offset, "total": len(all)}, nil
}
