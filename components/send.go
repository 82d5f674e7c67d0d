package components

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/portal/globus"
)

// A Sending is what a person has chosen to send so far, and where. The address of a
// page holds it, or a form.
type Sending struct {
	From  string   // UUID of the collection
	Path  string   // of the folder there, with a slash at its end
	Items []string // names in it; of folders with a slash at their end

	To     string // UUID of the collection; "": not chosen yet
	Folder string // there, with a slash at its end; "": where it begins
}

// Fields returns s as the fields of a form, or of the query of an address. Newlines in
// names are escaped, because a form would send each as two characters.
func (s Sending) Fields() []Field {
	fields := []Field{{"from", s.From}, {"path", escapeLines(s.Path)}}
	for _, item := range s.Items {
		fields = append(fields, Field{"item", escapeLines(item)})
	}
	if s.To != "" {
		fields = append(fields, Field{"to", s.To})
	}
	if s.Folder != "" {
		fields = append(fields, Field{"folder", escapeLines(s.Folder)})
	}
	return fields
}

var lines = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

func escapeLines(name string) string { return lines.Replace(name) }

// SendingOf reads the fields that Fields returns; ok is false if one is not valid.
func SendingOf(form url.Values) (s Sending, ok bool) {
	s.From, s.To = strings.ToLower(form.Get("from")), strings.ToLower(form.Get("to"))
	ok = globus.IsUUID(s.From) && (s.To == "" || globus.IsUUID(s.To))
	unescaped := func(name string) string {
		plain, err := url.PathUnescape(name)
		ok = ok && err == nil
		return plain
	}
	s.Path, s.Folder = unescaped(form.Get("path")), unescaped(form.Get("folder"))
	for _, item := range form["item"] {
		name := unescaped(item)
		ok = ok && IsName(strings.TrimSuffix(name, "/"))
		s.Items = append(s.Items, name)
	}
	return s, ok && isFolderPath(s.Path) && (s.Folder == "" || isFolderPath(s.Folder))
}

// IsName reports whether name can be that of one file or folder in a folder.
func IsName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00") && utf8.ValidString(name)
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
func (s Sending) Route() string {
	q := url.Values{}
	for _, f := range s.Fields() {
		q.Add(f.Name, f.Value)
	}
	return "/send?" + q.Encode()
}

// into returns s with another destination.
func (s Sending) into(collection, folder string) Sending {
	s.To, s.Folder = collection, folder
	return s
}

// A SendPage is where a person chooses a folder to send to, and sends.
type SendPage struct {
	Site
	Sending
	FromName, ToName string         // of the collections
	Folders          []globus.Entry // in Folder
	More             bool           // there are more folders than Folders has
	SubmissionID     string         // by which Globus recognizes a form that is sent twice
}

// Places returns the list from which the collection to send to is chosen.
func (s Sending) Places(site Site) Places {
	return Places{
		Site: site, Action: site.Path("/send"), Keep: s.into("", "").Fields(),
		Open: func(collection, folder string) string { return site.SendPath(s.into(collection, folder)) },
	}
}
