package components_test

import (
	"context"
	"io"
	"testing"

	"github.com/a-h/templ"

	"example.org/portal/components"
)

var _ = add(fieldErrors)

// fieldErrors is a form that nothing is wrong with, and one with everything wrong with it.
func fieldErrors() map[string]templ.Component {
	var errs components.FieldErrors
	errs.Add("name", "Give it a name.")
	errs.Add("name", attack)
	errs.Add("text", attackJ)
	return map[string]templ.Component{
		"Form/right":           form(nil),
		"Form/wrong":           form(errs),
		"PageLinks/first":      components.PageLinks("x", components.Paging{Self: "/app/x", Size: 20}),
		"PageLinks/in between": components.PageLinks("x", components.Paging{Self: "/app/x?offset=20&q=" + attack, Offset: 20, Size: 20, More: true}),
	}
}

// form is a form as an author writes it.
func form(errs components.FieldErrors) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		all := templ.Join(templ.Raw(`<form id="x">`), components.ErrorSummary("x", errs))
		for _, name := range []string{"name", "text"} {
			all = templ.Join(all, templ.Raw(`<label for="x-`+name+`">`+name+`</label><input id="x-`+name+`" aria-describedby="x-`+name+`-error" aria-invalid="`+errs.Invalid(name)+`">`),
				components.FieldError("x", name, errs))
		}
		return templ.Join(all, templ.Raw(`</form>`)).Render(ctx, w)
	})
}

// TestPaging: the address of a page of a list is that of the first one, and where it begins.
func TestPaging(t *testing.T) {
	tests := []struct {
		self   string
		offset int
		want   string
	}{
		{"/app/x", 0, "/app/x"},
		{"/app/x", 40, "/app/x?offset=40"},
		{"/app/x?q=a+b&offset=20", 40, "/app/x?offset=40&q=a+b"},
		{"/app/x?q=a+b&offset=20", 0, "/app/x?q=a+b"},
		{"/app/x?offset=20&offset=7", 0, "/app/x"},
	}
	for _, test := range tests {
		if got := (components.Paging{Self: test.self}).At(test.offset); got != test.want {
			t.Errorf("%s at %d: got %s, want %s", test.self, test.offset, got, test.want)
		}
	}
	p := components.Paging{Offset: 20, Size: 2}
	if p.Full(1) || p.More || !p.Full(2) || !p.More || p.Next() != 22 || p.Limit() != 3 {
		t.Errorf("got %+v, want a page of two that is full", p)
	}
}
