package components

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/portal/globus"
)

// A Sending is what a person has chosen to send so far, where, and how. The address of
// a page holds it, or a form if the address would be too long.
type Sending struct {
	From  string   // UUID of the collection
	Path  string   // of the folder there, with a slash at its end
	Items []string // names in it, or paths down from it, those of folders with a slash at their end; or Everything alone

	To     string // UUID of the collection; "": not chosen yet
	Folder string // there, with a slash at its end; "": where it begins

	Label      string // "": none
	Changed    bool   // only files that the destination does not have, or has in an older state
	SkipVerify bool   // the copies are not verified
	NoMail     bool   // Globus sends no e-mail
}

// Everything is the item that stands for all that is in the folder, hidden files
// included.
const Everything = "/"

// Fields returns s as the fields of a form, or of the query of an address. Newlines in
// names are escaped, because a form would send each as two characters.
func (s Sending) Fields() []Field {
	fields := []Field{{"from", s.From}, {"path", escapeLines(s.Path)}}
	for _, item := range s.Items {
		fields = append(fields, Field{"item", escapeLines(item)})
	}
	return append(fields, s.how()...)
}

// how returns the fields of s that do not say what is sent.
func (s Sending) how() (fields []Field) {
	for _, f := range []Field{
		{"to", s.To}, {"folder", escapeLines(s.Folder)}, {"label", s.Label},
		{"changed", onlyIf(s.Changed, "1")}, {"verify", onlyIf(s.SkipVerify, "0")}, {"notify", onlyIf(s.NoMail, "0")},
	} {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

func onlyIf(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

var lines = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

func escapeLines(name string) string { return lines.Replace(name) }

// SendingOf reads the fields that Fields returns; ok is false if one is not valid.
func SendingOf(form url.Values) (s Sending, ok bool) {
	s = Sending{
		From: strings.ToLower(form.Get("from")), To: strings.ToLower(form.Get("to")), Label: form.Get("label"),
		Changed: form.Get("changed") == "1", SkipVerify: form.Get("verify") == "0", NoMail: form.Get("notify") == "0",
	}
	ok = globus.IsUUID(s.From) && (s.To == "" || globus.IsUUID(s.To))
	unescaped := func(name string) string {
		plain, err := url.PathUnescape(name)
		ok = ok && err == nil
		return plain
	}
	s.Path, s.Folder = unescaped(form.Get("path")), unescaped(form.Get("folder"))
	seen := map[string]bool{}
	for _, item := range form["item"] {
		name := unescaped(item)
		ok = ok && isItem(name)
		if !seen[name] {
			s.Items = append(s.Items, name)
		}
		seen[name] = true
	}
	if seen[Everything] {
		s.Items = []string{Everything}
	}
	return s, ok && isFolderPath(s.Path) && (s.Folder == "" || isFolderPath(s.Folder))
}

// IsName reports whether name can be that of one file or folder in a folder.
func IsName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00") && utf8.ValidString(name)
}

// isItem reports whether item can be one of a Sending.
func isItem(item string) bool {
	names := strings.Split(strings.TrimSuffix(item, "/"), "/")
	return item == Everything || !slices.ContainsFunc(names, func(name string) bool { return !IsName(name) })
}

// isFolderPath reports whether path leads from the root to a folder, with a slash at
// its end.
func isFolderPath(path string) bool {
	if !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") {
		return false
	}
	names := strings.Trim(path, "/")
	return names == "" || !slices.ContainsFunc(strings.Split(names, "/"), func(name string) bool { return !IsName(name) })
}

// SendPath returns the path, as a browser sees it, of the page where a person goes on
// from s.
func (site Site) SendPath(s Sending) string { return site.Path(s.Route()) }

// Route is SendPath without the path of the site.
func (s Sending) Route() string { return "/send?" + encode(s.Fields()) }

// Encode returns the query of an address that holds s.
func (s Sending) Encode() string { return encode(s.Fields()) }

func encode(fields []Field) string {
	q := url.Values{}
	for _, f := range fields {
		q.Add(f.Name, f.Value)
	}
	return q.Encode()
}

// Into returns s with another destination.
func (s Sending) Into(collection, folder string) Sending {
	s.To, s.Folder = collection, folder
	return s
}

// FirstFolder returns the folder that the first item is in: Path, or one below it.
func (s Sending) FirstFolder() string {
	if len(s.Items) == 0 || s.Items[0] == Everything {
		return s.Path
	}
	return FolderAbove(s.Path + s.Items[0])
}

// Without returns s with nothing chosen of what is in the folder.
func (s Sending) Without() Sending {
	s.Items = nil
	return s
}

// sendStep returns where a form that holds what is chosen is sent to choose another
// destination.
func (site Site) sendStep(collection, folder string) string {
	return site.Path("/send?" + encode([]Field{{"to", collection}, {"folder", escapeLines(folder)}}))
}

// A SendPage is where a person chooses a folder to send to, and sends.
type SendPage struct {
	Site
	Sending
	FromName, ToName string         // of the collections
	Folders          []globus.Entry // in Folder
	More             bool           // there are more folders than Folders has
	New              string         // the name that was typed for a new folder
	Errors           FieldErrors    // what is wrong with it
	SubmissionID     string         // by which Globus recognizes a form that is sent twice
}
