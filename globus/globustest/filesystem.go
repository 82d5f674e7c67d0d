package globustest

import (
	"cmp"
	"errors"
	"hash/fnv"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// A node is a file, or a directory, of a collection.
type node struct {
	name    string
	dir     bool
	kids    map[string]*node // of a directory, by name
	serial  int              // grows with each new node; lists begin with the latest
	size    int64            // of a file, in bytes
	changed time.Time        // modification time
	content uint64           // stands for a file's content: a whole copy has the same number
	garbled int              // as in File
	data    string           // likewise, Content
}

var (
	errMissing = errors.New("no such file or directory")
	errNoDir   = errors.New("not a directory")
	errIsDir   = errors.New("is a directory")
	errExists  = errors.New("file exists")
)

// A fileSystem holds the files of one collection in memory. Its methods take clean paths:
// see clean.
type fileSystem struct {
	root    *node
	created int // nodes so far
}

// newFileSystem returns a file system with these files, and their parent directories.
func newFileSystem(files []File, now time.Time) *fileSystem {
	fs := &fileSystem{root: &node{dir: true, kids: map[string]*node{}, changed: now}}
	for _, f := range files {
		changed := now.Add(-f.Ago)
		if strings.HasSuffix(f.Path, "/") {
			_, _ = fs.makeAll(clean(f.Path), changed) // checkCollections has read the path
			continue
		}
		if f.Content != "" {
			f.Size = int64(len(f.Content))
		}
		_ = fs.write(clean(f.Path), node{size: f.Size, changed: changed, content: contentOf(f), garbled: f.Garbled, data: f.Content})
	}
	return fs
}

func contentOf(f File) uint64 {
	h := fnv.New64a()
	h.Write([]byte(f.Path))
	return h.Sum64() + uint64(f.Size)
}

// clean returns an absolute path without a slash at its end, dots or double
// slashes; the root is "".
func clean(p string) string { return strings.TrimSuffix(path.Clean("/"+p), "/") }

// split returns the directory of a clean path, and the name in it.
func split(p string) (dir, name string) {
	i := strings.LastIndexByte(p, '/')
	return p[:max(i, 0)], p[i+1:]
}

// names returns the names in a clean path, the outermost first.
func names(p string) []string { return strings.FieldsFunc(p, func(r rune) bool { return r == '/' }) }

// find returns what is at a clean path.
func (fs *fileSystem) find(p string) (*node, error) {
	n := fs.root
	for _, name := range names(p) {
		if !n.dir {
			return nil, errNoDir
		}
		if n = n.kids[name]; n == nil {
			return nil, errMissing
		}
	}
	return n, nil
}

// put adds n to a directory, and replaces a node with its name.
func (fs *fileSystem) put(dir *node, n node) *node {
	fs.created++
	n.serial = fs.created
	dir.kids[n.name] = &n
	return &n
}

// mkdir creates one directory. Its parent must exist.
func (fs *fileSystem) mkdir(p string, now time.Time) error {
	dir, name := split(p)
	parent, err := fs.find(dir)
	switch {
	case err != nil:
		return err
	case !parent.dir:
		return errNoDir
	case p == "" || parent.kids[name] != nil:
		return errExists
	}
	fs.put(parent, node{name: name, dir: true, kids: map[string]*node{}, changed: now})
	parent.changed = now
	return nil
}

// makeAll creates a directory and its missing parents.
func (fs *fileSystem) makeAll(p string, now time.Time) (*node, error) {
	n := fs.root
	for _, name := range names(p) {
		kid := n.kids[name]
		if kid == nil {
			kid = fs.put(n, node{name: name, dir: true, kids: map[string]*node{}, changed: now})
		}
		if !kid.dir {
			return nil, errNoDir
		}
		n = kid
	}
	return n, nil
}

// write creates a file, or replaces it, and creates its missing parents. n is the file
// without its name.
func (fs *fileSystem) write(p string, n node) error {
	dir, name := split(p)
	parent, err := fs.makeAll(dir, n.changed)
	if err != nil {
		return err
	}
	if old := parent.kids[name]; name == "" || old != nil && old.dir {
		return errIsDir
	}
	n.name = name
	fs.put(parent, n)
	return nil
}

// rename moves a node to another path, at which nothing may exist.
func (fs *fileSystem) rename(from, to string, now time.Time) error {
	moved, err := fs.find(from)
	if err != nil {
		return err
	}
	dir, name := split(to)
	parent, err := fs.find(dir)
	switch {
	case err != nil:
		return err
	case !parent.dir:
		return errNoDir
	case name == "" || parent.kids[name] != nil:
		return errExists
	case from == "" || strings.HasPrefix(to+"/", from+"/"):
		return errIsDir // into itself
	}
	_ = fs.remove(from)
	copied := *moved
	copied.name = name
	fs.put(parent, copied)
	parent.changed = now
	return nil
}

// remove deletes a file, or a directory with its content. Of the root it deletes only the
// content.
func (fs *fileSystem) remove(p string) error {
	n, err := fs.find(p)
	if err != nil {
		return err
	}
	if p == "" {
		clear(n.kids)
		return nil
	}
	dir, name := split(p)
	parent, err := fs.find(dir)
	delete(parent.kids, name)
	return err
}

// used returns the size of all files, in bytes.
func (fs *fileSystem) used() (bytes int64) {
	fs.root.walk("", func(_ string, n *node) { bytes += n.size })
	return bytes
}

// list returns the entries of a directory, the latest first: clients that want another
// order must request it.
func (n *node) list() []*node {
	return slices.SortedFunc(maps.Values(n.kids), func(a, b *node) int { return cmp.Compare(b.serial, a.serial) })
}

// walk visits n, whose path is p, and everything below it. It visits a directory before its
// content.
func (n *node) walk(p string, visit func(p string, n *node)) {
	visit(p, n)
	for _, kid := range slices.SortedFunc(maps.Values(n.kids), func(a, b *node) int { return cmp.Compare(a.name, b.name) }) {
		kid.walk(p+"/"+kid.name, visit)
	}
}
