package globustest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A condition reports whether an entry matches.
type condition func(*indexed) bool

func everything(*indexed) bool { return true }

// all returns the condition that all conditions are true.
func all(list ...condition) condition {
	return func(e *indexed) bool {
		return !slices.ContainsFunc(list, func(c condition) bool { return !c(e) })
	}
}

// some returns the condition that one of the conditions is true.
func some(list ...condition) condition {
	return func(e *indexed) bool {
		return slices.ContainsFunc(list, func(c condition) bool { return c(e) })
	}
}

// A filterReader reads the filters and the facets of a query.
type filterReader struct {
	n   *index
	doc *members
	v1  bool // the version is not that of 2017
}

// end rejects members of m that nothing has read, and keeps its error. In the version of
// 2017 every object may say so.
func (r filterReader) end(m *members) {
	if m.known["@version"] = true; m.doc["@version"] != nil && r.v1 {
		m.wrong("@version", "Unknown field.")
	}
	m.rest()
	if r.doc.err == nil {
		r.doc.err = m.err
	}
}

// filters reads a list of filters. In the version of 2017 those whose post_filter is true,
// all but match_all unless they say otherwise, do not narrow the facets.
func (r filterReader) filters(name string) (before, after condition) {
	var first, later []condition
	for _, value := range r.doc.list(name) {
		m := r.doc.object(name, value)
		kind, _ := m.doc["type"].(string)
		isLater := false
		if !r.v1 {
			isLater = member(m, "post_filter", kind != "match_all", "boolean")
		}
		if cond := r.filter(m); isLater {
			later = append(later, cond)
		} else {
			first = append(first, cond)
		}
	}
	return all(first...), all(later...)
}

// nested reads filters within another.
func (r filterReader) nested(m *members, values []any) (list []condition) {
	for _, value := range values {
		list = append(list, r.filter(m.object("filters", value)))
	}
	return list
}

// filter reads one filter.
func (r filterReader) filter(m *members) condition {
	kind := m.text("type", "")
	cond := everything
	switch kind {
	case "not":
		m.known["filter"] = true
		inner := r.filter(m.object("filter", m.doc["filter"]))
		cond = func(e *indexed) bool { return !inner(e) }
	case "and":
		cond = all(r.nested(m, m.list("filters"))...)
	case "or":
		cond = some(r.nested(m, m.list("filters"))...)
	default:
		cond = r.fieldFilter(m, kind, m.text("field_name", ""))
	}
	r.end(m)
	return cond
}

// fieldFilter reads a filter about one field.
func (r filterReader) fieldFilter(m *members, kind, field string) condition {
	if field == "" {
		m.wrong("field_name", "Missing data for required field.")
	}
	fieldType := r.n.types[field]
	has := func(matches func(v any) bool) condition {
		return func(e *indexed) bool { return slices.ContainsFunc(e.fields[field], matches) }
	}
	switch kind {
	case "match_any", "match_all":
		var each []condition
		for _, wanted := range m.list("values") {
			if _, isFlag := wanted.(bool); fieldType == booleanType && !isFlag {
				m.wrong("values", "A boolean field takes only booleans.")
			}
			each = append(each, has(func(v any) bool { return equalValues(fieldType, v, wanted) }))
		}
		if m.doc["values"] == nil {
			m.wrong("values", "Missing data for required field.")
		}
		if kind == "match_any" {
			return some(each...)
		}
		return all(each...)
	case "range":
		return has(r.ranges(m, fieldType))
	case "exists":
		return func(e *indexed) bool {
			within := func(path string) bool { return path == field || strings.HasPrefix(path, field+".") }
			for path, values := range e.fields {
				if within(path) && len(values) > 0 {
					return true
				}
			}
			return false
		}
	case "like":
		pattern := m.text("value", "")
		if fieldType != textType && fieldType != "" {
			m.wrong("field_name", "Not a text field.")
		}
		form := wildcard(pattern)
		return has(func(v any) bool { text, ok := v.(string); return ok && form.MatchString(text) })
	case "geo_bounding_box":
		topLeft, bottomRight := r.corner(m, "top_left"), r.corner(m, "bottom_right")
		return has(func(v any) bool {
			p, ok := v.(point)
			inside := p.lon >= topLeft.lon && p.lon <= bottomRight.lon
			if topLeft.lon > bottomRight.lon { // over the date line
				inside = p.lon >= topLeft.lon || p.lon <= bottomRight.lon
			}
			return ok && inside && p.lat <= topLeft.lat && p.lat >= bottomRight.lat
		})
	case "geo_shape":
		m.known["shape"] = true
		wanted, ok := readShape(m.doc["shape"])
		relation := m.text("relation", "intersects")
		switch {
		case !ok || len(wanted) < 4 || wanted[0] != wanted[len(wanted)-1]:
			m.wrong("shape", "Not a polygon of one closed ring.")
		case relation != "intersects" && relation != "within":
			m.wrong("relation", "Must be one of: intersects, within.")
		}
		return has(func(v any) bool {
			s, ok := v.(shape)
			return ok && (relation == "within" && s.within(wanted) || relation == "intersects" && s.intersects(wanted))
		})
	}
	m.wrong("type", "Must be one of: match_any, match_all, range, exists, like, geo_bounding_box, geo_shape, not, and, or.")
	return everything
}

// equalValues reports whether a value in a field is one that a filter names.
func equalValues(fieldType string, v, wanted any) bool {
	if fieldType == dateType {
		text, _ := wanted.(string)
		x, ok := readDate(fmt.Sprint(v))
		y, ok2 := readDate(text)
		return ok && ok2 && x.Equal(y)
	}
	return plainText(v) == plainText(wanted)
}

// plainText writes a value; numbers that are equal are written alike.
func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case json.Number:
		if n, err := v.Float64(); err == nil {
			return plainText(n)
		}
	case float64:
		if v == float64(int64(v)) {
			return fmt.Sprint(int64(v))
		}
	case point, shape:
		return ""
	}
	return fmt.Sprint(v)
}

// wildcard returns the regular expression for a pattern, in which * is any text and ? is
// one character.
func wildcard(pattern string) *regexp.Regexp {
	form := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile("(?is)^" + form + "$")
}

// A bound is one end of a range. It reports whether a value is on the right side.
type bound func(v any) bool

// ranges reads the values of a range filter.
func (r filterReader) ranges(m *members, fieldType string) func(v any) bool {
	var spans [][]bound
	if m.doc["values"] == nil && !r.v1 {
		return inside(r.bounds(m, fieldType)) // the version of 2017 takes gt, gte, lt and lte here
	}
	for _, value := range m.list("values") {
		span := m.object("values", value)
		spans = append(spans, r.bounds(span, fieldType))
		r.end(span)
	}
	if len(spans) == 0 {
		m.wrong("values", "Missing data for required field.")
	}
	return func(v any) bool {
		return slices.ContainsFunc(spans, func(span []bound) bool { return inside(span)(v) })
	}
}

func inside(span []bound) func(v any) bool {
	return func(v any) bool { return !slices.ContainsFunc(span, func(b bound) bool { return !b(v) }) }
}

func (r filterReader) bounds(m *members, fieldType string) (span []bound) {
	sides := map[string]func(n int) bool{
		"from": func(n int) bool { return n >= 0 }, "gte": func(n int) bool { return n >= 0 }, "gt": func(n int) bool { return n > 0 },
		"to": func(n int) bool { return n <= 0 }, "lte": func(n int) bool { return n <= 0 }, "lt": func(n int) bool { return n < 0 },
	}
	for name, side := range sides {
		m.known[name] = true
		value := m.doc[name]
		if value == nil || value == "*" {
			continue
		}
		compare, ok := comparison(fieldType, value)
		if !ok {
			m.wrong(name, "Not a valid value for the field.")
			continue
		}
		span = append(span, func(v any) bool { return side(compare(v)) })
	}
	return span
}

// comparison returns a function that compares a value of a field with an end of a range.
func comparison(fieldType string, end any) (compare func(v any) int, ok bool) {
	text := fmt.Sprint(end)
	switch fieldType {
	case longType, doubleType:
		n, err := json.Number(text).Float64()
		return func(v any) int { f, _ := v.(float64); return cmp.Compare(f, n) }, err == nil
	case dateType:
		at, ok := readDate(text)
		for _, layout := range []string{"2006", "2006-01"} {
			if t, err := time.Parse(layout, text); err == nil {
				at, ok = t, true
			}
		}
		return func(v any) int { t, _ := readDate(fmt.Sprint(v)); return t.Compare(at) }, ok
	}
	return func(v any) int { return cmp.Compare(plainText(v), text) }, true
}

// A point is a place, in degrees.
type point struct{ lat, lon float64 }

// A shape is the ring of a polygon, whose last point is the first; a point is a ring of
// one.
type shape []point

func (r filterReader) corner(m *members, name string) point {
	m.known[name] = true
	p, ok := readPoint(m.doc[name])
	if !ok {
		m.wrong(name, "Not a valid coordinate.")
	}
	return p
}

// readPoint reads an object with lat and lon, a list of lon and lat, or "lat,lon".
func readPoint(value any) (p point, ok bool) {
	number := func(v any) float64 {
		n, isNumber := v.(json.Number)
		f, err := n.Float64()
		ok = ok && isNumber && err == nil
		return f
	}
	ok = true
	switch v := value.(type) {
	case map[string]any:
		p = point{number(v["lat"]), number(v["lon"])}
	case []any:
		if len(v) != 2 {
			return p, false
		}
		p = point{number(v[1]), number(v[0])}
	case string:
		_, err := fmt.Sscanf(v, "%f,%f", &p.lat, &p.lon)
		ok = err == nil
	default:
		return p, false
	}
	return p, ok && p.lat >= -90 && p.lat <= 90 && p.lon >= -180 && p.lon <= 180
}

// readShape reads a Point, or a Polygon of one ring, of GeoJSON.
func readShape(value any) (s shape, ok bool) {
	doc, _ := value.(map[string]any)
	coordinates, _ := doc["coordinates"].([]any)
	switch doc["type"] {
	case "Point":
		p, ok := readPoint(coordinates)
		return shape{p}, ok
	case "Polygon":
		if len(coordinates) != 1 {
			return nil, false
		}
		ring, _ := coordinates[0].([]any)
		for _, one := range ring {
			p, ok := readPoint(one)
			if !ok {
				return nil, false
			}
			s = append(s, p)
		}
		return s, len(s) > 0
	}
	return nil, false
}

// within reports whether all points of s are inside the ring.
func (s shape) within(ring shape) bool {
	return !slices.ContainsFunc(s, func(p point) bool { return !ring.contains(p) })
}

// intersects reports whether s and the ring have a point in common.
func (s shape) intersects(ring shape) bool {
	if slices.ContainsFunc(s, ring.contains) || len(s) > 2 && slices.ContainsFunc(ring, s.contains) {
		return true
	}
	for i := range len(s) - 1 {
		for j := range len(ring) - 1 {
			if cross(s[i], s[i+1], ring[j], ring[j+1]) {
				return true
			}
		}
	}
	return false
}

// contains reports whether a point is inside the ring: a ray from it crosses the ring an
// odd number of times.
func (s shape) contains(p point) (inside bool) {
	for i := range len(s) - 1 {
		a, b := s[i], s[i+1]
		if (a.lat > p.lat) != (b.lat > p.lat) && p.lon < (b.lon-a.lon)*(p.lat-a.lat)/(b.lat-a.lat)+a.lon {
			inside = !inside
		}
	}
	return inside
}

// cross reports whether the lines from a to b and from c to d cross.
func cross(a, b, c, d point) bool {
	side := func(p, q, r point) bool { return (q.lon-p.lon)*(r.lat-p.lat) > (q.lat-p.lat)*(r.lon-p.lon) }
	return side(a, b, c) != side(a, b, d) && side(c, d, a) != side(c, d, b)
}
