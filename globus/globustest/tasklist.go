package globustest

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// What task_list does without a limit, and beyond the largest one, was not to be
// learnt for certain: apps should say what they want.
const (
	defaultLimit = 10
	largestLimit = 1000
)

// taskList lists the tasks of a person, in no order unless one is asked for.
func (e *Emulator) taskList(r *http.Request, g grant) (any, error) {
	h := e.history(g.Person)
	q, err := readTaskQuery(r)
	if err != nil {
		return nil, err
	}
	tasks := slices.DeleteFunc(slices.Clone(h.Tasks), func(t Task) bool {
		status, _ := t.at(h.age(t))
		return !q.filter.lets("status", string(status)) || !q.filter.lets("type", t.Type)
	})
	switch q.order {
	case "request_time", "request_time ASC":
		slices.SortStableFunc(tasks, func(a, b Task) int { return cmp.Compare(b.Ago, a.Ago) })
	case "request_time DESC":
		slices.SortStableFunc(tasks, func(a, b Task) int { return cmp.Compare(a.Ago, b.Ago) })
	}
	from := min(q.offset, len(tasks))
	page := []any{}
	for _, t := range tasks[from:min(from+q.limit, len(tasks))] {
		doc := h.document(t)
		delete(doc, "DATA_TYPE")
		page = append(page, e.lie.Task.apply(doc))
	}
	return e.lie.TaskList.apply(map[string]any{
		"DATA_TYPE":     "task_list",
		"DATA":          page,
		"length":        len(page),
		"limit":         q.limit,
		"offset":        q.offset,
		"total":         len(tasks),
		"new_at_globus": nil,
	}), nil
}

// A taskQuery is what an app asks task_list for.
type taskQuery struct {
	limit, offset int
	order         string // empty: none
	filter        taskFilter
}

func readTaskQuery(r *http.Request) (taskQuery, error) {
	params, err := readQuery(r, "limit", "offset", "orderby", "filter")
	if err != nil {
		return taskQuery{}, err
	}
	bad := func(name string) (taskQuery, error) {
		return taskQuery{}, badParameter(r, "Invalid value for parameter '"+name+"'")
	}
	limit, ok := number(params, "limit", defaultLimit, 1, largestLimit)
	if !ok {
		return bad("limit")
	}
	offset, ok := number(params, "offset", 0, 0, math.MaxInt32)
	if !ok {
		return bad("offset")
	}
	order := params.Get("orderby")
	if params.Has("orderby") && !slices.Contains([]string{"request_time", "request_time ASC", "request_time DESC"}, order) {
		return bad("orderby")
	}
	filter, ok := readFilter(params)
	if !ok {
		return bad("filter")
	}
	return taskQuery{limit, offset, order, filter}, nil
}

// number reads a parameter that is fallback if it was not sent.
func number(params url.Values, name string, fallback, least, most int) (n int, ok bool) {
	if !params.Has(name) {
		return fallback, true
	}
	n, err := strconv.Atoi(params.Get(name))
	return n, err == nil && n >= least && n <= most
}

// A taskFilter has for each member of a task, if it matters, the values that it
// may have.
type taskFilter map[string][]string

func (f taskFilter) lets(name, value string) bool {
	return f[name] == nil || slices.Contains(f[name], value)
}

// readFilter reads a filter such as status:ACTIVE,INACTIVE/type:TRANSFER.
func readFilter(params url.Values) (f taskFilter, ok bool) {
	f = taskFilter{}
	if !params.Has("filter") {
		return f, true
	}
	known := map[string][]string{"status": taskStatuses(), "type": taskTypes()}
	for clause := range strings.SplitSeq(params.Get("filter"), "/") {
		name, list, _ := strings.Cut(clause, ":")
		if f[name] != nil {
			return nil, false
		}
		f[name] = strings.Split(list, ",")
		for _, value := range f[name] {
			if !slices.Contains(known[name], value) {
				return nil, false
			}
		}
	}
	return f, true
}
