package globustest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A shape says in JSON what an answer looks like:
//
//	{"a": X, "b?": Y}  an object of just these members, b there or not
//	{"c": "never"}     of which c is none, as is nothing else that is not named
//	{"<uuid>": X}      whose members are named so, any number of them
//	["*", X]           a list of X, any number of them
//	["or", X, Y]       X or Y
//	[X, Y]             a list of these two
//	"'text"            this text
//	"/^re$/"           text of this form
//	"string|null"      one of the words of the table forms, or another
//	false, 1, null     just that
//	"@name"            the shape of that name in shapes.json
//	{"@": "name", …}   likewise, with members in place of its own, or added
type shape = any

// forms are the words of shapes that mean text of a form.
var forms = map[string]*regexp.Regexp{
	"string":     regexp.MustCompile(`(?s)^.*$`),
	"text":       regexp.MustCompile(`\S`),
	"uuid":       regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	"time":       regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$`), // RFC 3339, but never a Z
	"blank-time": regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00$`),
	"scopes":     regexp.MustCompile(`^\S+( \S+)*$`),
	"token":      regexp.MustCompile(`^Ag[A-Za-z0-9]{88,103}$`),
	"jwt":        regexp.MustCompile(`^[\w-]+\.[\w-]+\.[\w-]+$`),
	"code":       regexp.MustCompile(`^[A-Za-z0-9]{30}$`),
	"request-id": regexp.MustCompile(`^[A-Za-z0-9]{9}$`),
	"user-name":  regexp.MustCompile(`^\S+@\S+$`),
	"made-up":    regexp.MustCompile(`^u_[A-Za-z0-9]{26}$`),
}

var wholeNumber = regexp.MustCompile(`^-?\d+$`)

// misfit says where v, decoded with its numbers as json.Number, is not of a
// shape, or "".
func misfit(at string, want shape, v any) string {
	switch want := want.(type) {
	case map[string]any:
		return objectMisfit(at, want, v)
	case []any:
		return listMisfit(at, want, v)
	case string:
		return wordMisfit(at, want, v)
	}
	if fmt.Sprint(want) != fmt.Sprint(v) {
		return fmt.Sprintf("%s is %v, not %v", at, v, want)
	}
	return ""
}

func objectMisfit(at string, want map[string]any, v any) string {
	obj, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprintf("%s is %v, no object", at, v)
	}
	if names, inner, ok := anyNames(want); ok {
		for name, value := range obj {
			if !forms[names].MatchString(name) {
				return fmt.Sprintf("%s has the member %s, which is no %s", at, name, names)
			}
			if m := misfit(at+"."+name, inner, value); m != "" {
				return m
			}
		}
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		plain := strings.TrimSuffix(name, "?")
		value, there := obj[plain]
		switch {
		case want[name] == "never" && there:
			return fmt.Sprintf("%s has %s, which Globus never sends", at, plain)
		case want[name] == "never", plain != name && !there:
			continue
		case !there:
			return fmt.Sprintf("%s lacks %s", at, plain)
		}
		if m := misfit(at+"."+plain, want[name], value); m != "" {
			return m
		}
	}
	for _, name := range slices.Sorted(maps.Keys(obj)) {
		if !has(want, name) {
			return fmt.Sprintf("%s has %s, which is not recorded", at, name)
		}
	}
	return ""
}

// anyNames reads a shape such as {"<uuid>": X}.
func anyNames(want map[string]any) (form string, inner shape, ok bool) {
	for name, inner := range want {
		if form, ok := strings.CutPrefix(name, "<"); ok && len(want) == 1 {
			return strings.TrimSuffix(form, ">"), inner, true
		}
	}
	return "", nil, false
}

// has reports whether a member is there, be it null.
func has(want map[string]any, name string) bool {
	_, plain := want[name]
	_, optional := want[name+"?"]
	return plain || optional
}

func listMisfit(at string, want []any, v any) string {
	if len(want) > 1 && want[0] == "or" {
		if slices.ContainsFunc(want[1:], func(one shape) bool { return misfit(at, one, v) == "" }) {
			return ""
		}
		return fmt.Sprintf("%s is %v, not %v", at, v, want)
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprintf("%s is %v, no list", at, v)
	}
	if len(want) == 2 && want[0] == "*" {
		want = slices.Repeat(want[1:], len(list))
	}
	if len(want) != len(list) {
		return fmt.Sprintf("%s has %d elements, not %d", at, len(list), len(want))
	}
	for i := range want {
		if m := misfit(fmt.Sprintf("%s[%d]", at, i), want[i], list[i]); m != "" {
			return m
		}
	}
	return ""
}

// resolve puts shapes in place of their names.
func resolve(s shape, named map[string]any) shape {
	switch s := s.(type) {
	case string:
		if name, ok := strings.CutPrefix(s, "@"); ok {
			return resolve(named[name], named)
		}
	case []any:
		list := make([]any, len(s))
		for i := range s {
			list[i] = resolve(s[i], named)
		}
		return list
	case map[string]any:
		obj := map[string]any{}
		if name, ok := s["@"].(string); ok {
			obj = resolve(named[name], named).(map[string]any)
		}
		for name, member := range s {
			if name != "@" {
				delete(obj, name+"?")
				obj[name] = resolve(member, named)
			}
		}
		return obj
	}
	return s
}

func wordMisfit(at, want string, v any) string {
	no := fmt.Sprintf("%s is %v, not %s", at, v, want)
	text, isText := v.(string)
	if literal, ok := strings.CutPrefix(want, "'"); ok {
		if !isText || text != literal {
			return no
		}
		return ""
	}
	if re, ok := strings.CutPrefix(want, "/"); ok {
		if !isText || !regexp.MustCompile(strings.TrimSuffix(re, "/")).MatchString(text) {
			return no
		}
		return ""
	}
	if slices.ContainsFunc(strings.Split(want, "|"), func(word string) bool { return isA(word, v) }) {
		return ""
	}
	return no
}

// isA reports whether v is what a word means. It panics at one that means nothing.
func isA(word string, v any) bool {
	number, isNumber := v.(json.Number)
	switch word {
	case "any":
		return true
	case "null":
		return v == nil
	case "bool":
		_, ok := v.(bool)
		return ok
	case "int":
		return isNumber && wholeNumber.MatchString(number.String())
	case "number":
		return isNumber
	}
	text, isText := v.(string)
	return forms[word].MatchString(text) && isText
}

// parse reads JSON, its numbers as they are written.
func parse(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// A test of answers is worth no more than what it is held against.
func TestShapes(t *testing.T) {
	tests := []struct{ shape, value, want string }{
		{`{"a": "int", "b?": "string"}`, `{"a": 1}`, ""},
		{`{"a": "int", "b?": "string"}`, `{"a": 1, "b": ""}`, ""},
		{`{"a": "int", "b?": "string"}`, `{"a": 1, "b": null}`, "x.b is <nil>, not string"},
		{`{"a": "int"}`, `{}`, "x lacks a"},
		{`{"a": "int"}`, `{"a": 1, "b": 2}`, "x has b, which is not recorded"},
		{`{"a": null}`, `{"a": null}`, ""},
		{`{"a": null}`, `{}`, "x lacks a"},
		{`{"a": "never"}`, `{}`, ""},
		{`{"a": "never"}`, `{"a": null}`, "x has a, which Globus never sends"},
		{`{}`, `[]`, "x is [], no object"},
		{`{"<uuid>": "int"}`, `{"7a1c2e40-3b5d-4f6e-8a90-1920072501aa": 1}`, ""},
		{`{"<uuid>": "int"}`, `{"a": 1}`, "x has the member a, which is no uuid"},
		{`["*", "int"]`, `[]`, ""},
		{`["*", "int"]`, `[1, "2"]`, "x[1] is 2, not int"},
		{`["int"]`, `[]`, "x has 0 elements, not 1"},
		{`[]`, `[1]`, "x has 1 elements, not 0"},
		{`["or", null, "int"]`, `null`, ""},
		{`["or", null, "int"]`, `"1"`, "x is 1, not [or <nil> int]"},
		{`"int"`, `1.0`, "x is 1.0, not int"},
		{`"number"`, `1.5`, ""},
		{`"bool|null"`, `null`, ""},
		{`"bool|null"`, `"true"`, "x is true, not bool|null"},
		{`"time"`, `"2027-01-15T08:00:00Z"`, "x is 2027-01-15T08:00:00Z, not time"},
		{`"time"`, `"2027-01-15T08:00:00+00:00"`, ""},
		{`"scopes"`, `"a  b"`, "x is a  b, not scopes"},
		{`"'Bearer"`, `"bearer"`, "x is bearer, not 'Bearer"},
		{`"/^a$/"`, `"ab"`, "x is ab, not /^a$/"},
		{`"string"`, `null`, "x is <nil>, not string"},
		{`172800`, `172800`, ""},
		{`172800`, `172800000000000`, "x is 172800000000000, not 172800"},
		{`false`, `true`, "x is true, not false"},
	}
	for _, tt := range tests {
		if got := misfit("x", parse(t, tt.shape), parse(t, tt.value)); got != tt.want {
			t.Errorf("%s as %s: got %q, want %q", tt.value, tt.shape, got, tt.want)
		}
	}
}
