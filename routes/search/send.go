package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	maxSent    = 10_000 // records whose files are sent together
	gatherTime = 15 * time.Second
	maxLooks   = 60 // calls that find out what can be read
	looksAside = 6  // of them at a time
	lookTime   = 8 * time.Second
	maxForm    = 800 << 10 // bytes of a form that begins to send: /send takes a few more
	maxListed  = 5000      // names in a folder that are read
)

// A sendView is what the page shows that sends all that was found.
type sendView struct {
	components.Site
	back    address
	records int          // whose files are sent
	cut     bool         // there are more records
	without []recordLink // records without a file
	nowhere []unread     // files of which the record does not say where they are
	sources []*source    // collections, by name
}

type recordLink struct{ heading, url string }

// An unread is a file or folder that is not sent, and why.
type unread struct {
	recordLink
	path, why string
}

// A source is a collection that files come from.
type source struct {
	id, name string
	files    map[string]recordLink // by path; of several records with one file, the first

	seen    map[string]seen      // what was found out, by path
	why     string               // why nothing of it can be read; "": something can, or it is not known
	asks    bool                 // Globus requires something of the person first, and says so when they send
	unread  []unread             // what is not sent
	parts   []components.Sending // what is sent: several only if one form could not hold all
	items   int                  // in parts
	bytes   int64                // of files in them
	unsized int                  // items in them of unknown size: folders, and what was not looked at
	guessed int                  // items in them that were not looked at
}

// sendAll shows what would be sent if somebody sent the files of all records that were
// found, and begins that: with a form for each collection that they come from.
func (m *room) sendAll(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	a, s := m.address(r).at(1), m.searcher(who)
	if !m.sends() {
		return &web.Problem{
			Status: http.StatusNotFound, Reason: "no_sending", Heading: "These records have no files to send", Message: "Go back to the search.",
			Ways: []components.Way{{Label: "Back to the search", URL: a.String()}},
		}
	}
	end, err := m.begin()
	if err != nil {
		return err
	}
	defer end()
	v, err := s.gather(r.Context(), a)
	if err != nil {
		return asProblem(err, a)
	}
	if err := look(r.Context(), m.globus.Transfer(m.auth.Token(who, globus.TransferServer)), v.sources); err != nil {
		return err
	}
	for _, src := range v.sources {
		src.fill()
	}
	slices.SortFunc(v.sources, func(x, y *source) int { return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.id, y.id)) })
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	return web.Show(w, r, "Send the files of all records", sendPage(v))
}

// sends reports whether this site has pages that send files, and records have files.
func (m *room) sends() bool {
	return m.Files != nil && m.site.HasRoute(http.MethodPost, m.site.Path("/send"))
}

// gather collects the files of all records that a search finds.
func (s searcher) gather(ctx context.Context, a address) (sendView, error) {
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	v := sendView{Site: s.site.Site, back: a}
	q := a.searchQuery("")
	q.Limit = exportChunk
	sources := map[string]*source{}
	for found, err := range s.scroll(ctx, q) {
		if err != nil {
			return v, err
		}
		if len(found.Entries) == 0 {
			continue
		}
		if v.cut = v.records == maxSent; v.cut {
			break
		}
		v.records++
		record := newRecord(found)
		link := recordLink{s.heading(record), a.to("/record", "subject", record.Subject)}
		files := s.Files(record)
		if len(files) == 0 {
			v.without = append(v.without, link)
		}
		for _, f := range files {
			id := strings.ToLower(f.Collection)
			if why := f.wrong(); why != "" {
				v.nowhere = append(v.nowhere, unread{link, f.Path, why})
				continue
			}
			if sources[id] == nil {
				sources[id] = &source{id: id, name: id, files: map[string]recordLink{}, seen: map[string]seen{}}
			}
			if _, known := sources[id].files[f.Path]; !known {
				sources[id].files[f.Path] = link
			}
		}
	}
	v.sources = slices.Collect(maps.Values(sources))
	return v, nil
}

// wrong returns why f is no place of files; "": it is one.
func (f File) wrong() string {
	names := strings.Split(strings.TrimSuffix(strings.TrimPrefix(f.Path, "/"), "/"), "/")
	switch {
	case !globus.IsUUID(f.Collection):
		return "the record does not say in which collection it is"
	case !strings.HasPrefix(f.Path, "/") || f.Path != "/" && slices.ContainsFunc(names, func(name string) bool { return !components.IsName(name) }):
		return "the record does not say a whole path, from the root of the collection"
	}
	return ""
}

// A seen is what is at a path.
type seen struct {
	why    string // why it cannot be read; "": it can
	folder bool
	size   int64 // of a file
}

// A looker makes calls side by side, as long as there is time and maxLooks are not made.
type looker struct {
	ctx   context.Context
	slots chan struct{}
	wg    sync.WaitGroup

	mu    sync.Mutex // guards what follows, and what the calls change
	made  int
	fatal error // the person has no token any more
}

// do calls f, and then done, while no other done runs.
func (l *looker) do(f func() error, done func(error)) {
	l.wg.Go(func() {
		l.slots <- struct{}{}
		defer func() { <-l.slots }()
		l.mu.Lock()
		l.made++
		enough := l.made > maxLooks || l.fatal != nil || l.ctx.Err() != nil
		l.mu.Unlock()
		if enough {
			return
		}
		err := f()
		l.mu.Lock()
		defer l.mu.Unlock()
		if errors.Is(err, session.ErrGone) || globus.KindOf(err) == globus.KindSignIn {
			l.fatal = err
			return
		}
		done(err)
	})
}

// look finds out what of the sources can be read, and what they are called.
func look(ctx context.Context, transfer *globus.Transfer, sources []*source) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	l := &looker{ctx: ctx, slots: make(chan struct{}, looksAside)}
	for _, src := range sources {
		l.do(func() error {
			c, err := transfer.Collection(ctx, src.id)
			if err == nil {
				src.name = c.Name() // nothing else reads it yet
			}
			return err
		}, func(err error) {
			if !src.failed(err) && globus.KindOf(err) == globus.KindDenied {
				src.why = "You may not see this collection."
			}
		})
	}
	l.wg.Wait()
	for _, src := range sources {
		if src.why != "" || src.asks {
			continue
		}
		names := map[string][]string{} // of files, by folder
		for p := range src.files {
			if !strings.HasSuffix(p, "/") {
				names[folderOf(p)] = append(names[folderOf(p)], p)
				continue
			}
			l.do(func() error {
				_, err := transfer.List(ctx, src.id, globus.ListQuery{Path: p, Limit: 1})
				return err
			}, func(err error) { src.sawFolder(p, err) })
		}
		for folder, paths := range names {
			var listing *globus.Listing
			l.do(func() (err error) {
				listing, err = transfer.List(ctx, src.id, globus.ListQuery{Path: folder, Limit: maxListed, Hidden: true})
				return err
			}, func(err error) { src.sawFiles(paths, listing, err) })
		}
	}
	l.wg.Wait()
	return l.fatal
}

func folderOf(p string) string { return strings.TrimSuffix(path.Dir(p), "/") + "/" }

// failed notes what an error of a call says about the whole collection, and reports
// whether it says anything.
func (src *source) failed(err error) bool {
	switch globus.KindOf(err) {
	case globus.KindRequirements:
		src.asks = true
	case globus.KindNoCollection:
		src.why = "This collection does not exist any more."
	case globus.KindOffline:
		src.why = "Globus cannot reach this collection just now."
	case globus.KindPaused:
		src.why = "The managers of this collection have paused it."
	case globus.KindNoAccount:
		src.why = "You have no account at this collection."
	default:
		return false
	}
	return true
}

// whyNot says why a path cannot be read. It is "" if an error does not say that.
func whyNot(err error) string {
	switch globus.KindOf(err) {
	case globus.KindDenied:
		return "you may not read it"
	case globus.KindNotFound:
		return "it is not there"
	case globus.KindInvalid:
		return "the collection does not accept this path"
	}
	return ""
}

// sawFolder notes the outcome of listing a folder.
func (src *source) sawFolder(p string, err error) {
	switch why := whyNot(err); {
	case src.failed(err):
	case err == nil:
		src.seen[p] = seen{folder: true}
	case globus.KindOf(err) == globus.KindNotDirectory:
		src.seen[p] = seen{}
	case why != "":
		src.seen[p] = seen{why: why}
	}
}

// sawFiles notes the outcome of listing the folder of some files.
func (src *source) sawFiles(paths []string, listing *globus.Listing, err error) {
	if err != nil {
		why := whyNot(err)
		for _, p := range paths {
			if !src.failed(err) && why != "" {
				src.seen[p] = seen{why: why}
			}
		}
		return
	}
	entries := map[string]globus.Entry{}
	for _, e := range listing.Entries {
		entries[e.Name] = e
	}
	for _, p := range paths {
		e, there := entries[path.Base(p)]
		switch {
		case there:
			src.seen[p] = seen{folder: e.IsDir(), size: e.Size}
		case len(listing.Entries) < maxListed:
			src.seen[p] = seen{why: "it is not there"}
		}
	}
}

// fill says what is sent of the source, and what is not.
func (src *source) fill() {
	var paths []string
	for p, link := range src.files {
		s, known := src.seen[p]
		if s.why != "" || src.why != "" {
			src.unread = append(src.unread, unread{link, p, s.why})
			continue
		}
		if known && p != "/" { // it can be a folder where the record says a file, or the reverse
			plain := strings.TrimSuffix(p, "/")
			if p = plain; s.folder {
				p += "/"
			}
			src.seen[p] = s
		}
		paths = append(paths, p)
	}
	slices.SortFunc(src.unread, func(x, y unread) int { return cmp.Compare(x.path, y.path) })
	slices.Sort(paths)
	sent := paths[:0]
	for _, p := range slices.Compact(paths) {
		if last := len(sent) - 1; last >= 0 && strings.HasSuffix(sent[last], "/") && strings.HasPrefix(p, sent[last]) {
			continue // it comes with its folder
		}
		sent = append(sent, p)
		s, known := src.seen[p]
		if src.bytes += s.size; !known {
			src.guessed++
		}
		if !known || s.folder {
			src.unsized++
		}
	}
	src.items = len(sent)
	src.parts = sendings(src.id, sent)
}

// sendings are what is sent of a collection, in as many forms as it takes. The paths are
// sorted.
func sendings(id string, paths []string) (list []components.Sending) {
	if len(paths) == 1 && paths[0] == "/" {
		return []components.Sending{{From: id, Path: "/", Items: []string{components.Everything}}}
	}
	size := 0
	for _, p := range paths {
		if size += 3*len(p) + len("&item="); list == nil || size > maxForm {
			list, size = append(list, components.Sending{From: id}), 0
		}
		last := &list[len(list)-1]
		last.Items = append(last.Items, p)
	}
	for i, s := range list {
		folder := components.FolderAbove(s.Items[0])
		for !strings.HasPrefix(s.Items[len(s.Items)-1], folder) { // what is sorted between them has it, too
			folder = components.FolderAbove(folder)
		}
		for n, p := range s.Items {
			s.Items[n] = strings.TrimPrefix(p, folder)
		}
		list[i].Path = folder
	}
	return list
}

// sizeWords says how much is sent of the source.
func (src *source) sizeWords() string {
	text := components.CountWords(int64(src.items), "item")
	switch known := src.items - src.unsized; {
	case known == src.items:
		return text + ", " + components.BytesWords(src.bytes)
	case known > 0:
		return fmt.Sprintf("%s: %s, and %s of unknown size", text, components.BytesWords(src.bytes), components.CountWords(int64(src.unsized), "item"))
	}
	return text
}
