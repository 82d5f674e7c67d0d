package components

// A Problem is what an error page says.
type Problem struct {
	Site
	Reason    string // what kind of problem it is, in a word that does not change, such as form_old
	Heading   string // what happened, in a few words
	Message   string // what happened and what to do, in a sentence or two
	Facts     []Fact // what explains it
	Ways      []Way  // links that may help, beside the one to the home page
	Reference string // names the line in the log; empty if there is none
	LoginURL  string // where to sign in, if that helps; else empty
	Retry     string // path of what to try again, as a browser sees it; empty if that cannot help
	Form      *Form  // a form to send again, or nil
}

// A Fact is a labelled value that explains a problem, such as the name of a collection.
type Fact struct{ Label, Value string }

// A Way is a link that leads out of a problem.
type Way struct{ Label, URL string }

// A Form repeats a form that was refused because it was too old: the same
// fields, with a fresh token.
type Form struct {
	Action string  // where it goes, as a browser sees it
	Fields []Field // what was typed
	Label  string  // of its button
}

// A Field is one field of a Form.
type Field struct{ Name, Value string }
