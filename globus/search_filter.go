package globus

import (
	"encoding/json"
	"strings"
)

// A Filter lets some entries pass: a MatchAny, MatchAll, Range, Exists, Like,
// GeoBoundingBox, GeoShape, Not, And or Or. The names are those of Search (POST query,
// "Filters").
type Filter interface {
	json.Marshaler
	isFilter()
}

// EscapeField returns the name of a field whose dots belong to the name, and do not lead
// into an object.
func EscapeField(name string) string { return strings.ReplaceAll(name, ".", `\.`) }

type (
	// A MatchAny matches if a field has one of the values: strings or, for a field of
	// booleans, booleans.
	MatchAny struct {
		Field  string // required
		Values []any  // one of them is enough; required
	}

	// A MatchAll matches if a field has all of the values.
	MatchAll struct {
		Field  string // required
		Values []any  // all of them must be there; required
	}

	// A Range matches if a field has a value in one of the spans.
	Range struct {
		Field string // required
		Spans []Span // one of them is enough; required
	}

	// An Exists matches if a field has a value.
	Exists struct {
		Field string // required
	}

	// A Like matches if a field of texts has a value with the form of Pattern, in which *
	// stands for any text, and ? for one character.
	Like struct {
		Field   string // required
		Pattern string // of the whole value; required
	}

	// A GeoBoundingBox matches if a field of geo_points has a point in the box.
	GeoBoundingBox struct {
		Field                string   // required
		TopLeft, BottomRight GeoPoint // corners: the north-west and the south-east
	}

	// A GeoShape matches if a field of geo_shapes has a shape that intersects a polygon
	// or, with Within, lies inside it.
	GeoShape struct {
		Field  string     // required
		Ring   []GeoPoint // the last is the first again
		Within bool       // the shape must lie inside the polygon
	}

	// A Not matches what another filter does not match.
	Not struct {
		Filter Filter // required
	}

	// An And matches what all filters match.
	And []Filter

	// An Or matches what one of the filters matches.
	Or []Filter
)

// A Span is a span of numbers or dates; a nil bound is none. Whether Search includes the
// ends of from and to, which it also takes, is not documented, so a Span does not have
// them.
type Span struct {
	GTE any `json:"gte,omitempty"` // from this value on
	GT  any `json:"gt,omitempty"`  // above this value
	LTE any `json:"lte,omitempty"` // up to this value, included
	LT  any `json:"lt,omitempty"`  // below this value
}

// A GeoPoint is a place on Earth, in degrees.
type GeoPoint struct {
	Lat float64 `json:"lat"` // from -90 to 90
	Lon float64 `json:"lon"` // from -180 to 180
}

func (MatchAny) isFilter()       {}
func (MatchAll) isFilter()       {}
func (Range) isFilter()          {}
func (Exists) isFilter()         {}
func (Like) isFilter()           {}
func (GeoBoundingBox) isFilter() {}
func (GeoShape) isFilter()       {}
func (Not) isFilter()            {}
func (And) isFilter()            {}
func (Or) isFilter()             {}

// filterJSON writes a filter with the members in pairs of name and value.
func filterJSON(kind string, pairs ...any) ([]byte, error) {
	doc := map[string]any{"type": kind}
	for i := 0; i < len(pairs); i += 2 {
		doc[pairs[i].(string)] = pairs[i+1]
	}
	return json.Marshal(doc)
}

// MarshalJSON writes the filter as Search reads it.
func (f MatchAny) MarshalJSON() ([]byte, error) {
	return filterJSON("match_any", "field_name", f.Field, "values", f.Values)
}

// MarshalJSON writes the filter as Search reads it.
func (f MatchAll) MarshalJSON() ([]byte, error) {
	return filterJSON("match_all", "field_name", f.Field, "values", f.Values)
}

// MarshalJSON writes the filter as Search reads it.
func (f Range) MarshalJSON() ([]byte, error) {
	return filterJSON("range", "field_name", f.Field, "values", f.Spans)
}

// MarshalJSON writes the filter as Search reads it.
func (f Exists) MarshalJSON() ([]byte, error) { return filterJSON("exists", "field_name", f.Field) }

// MarshalJSON writes the filter as Search reads it.
func (f Like) MarshalJSON() ([]byte, error) {
	return filterJSON("like", "field_name", f.Field, "value", f.Pattern)
}

// MarshalJSON writes the filter as Search reads it.
func (f GeoBoundingBox) MarshalJSON() ([]byte, error) {
	return filterJSON("geo_bounding_box", "field_name", f.Field, "top_left", f.TopLeft, "bottom_right", f.BottomRight)
}

// MarshalJSON writes the filter as Search reads it: in GeoJSON the longitude comes first.
func (f GeoShape) MarshalJSON() ([]byte, error) {
	ring := make([][2]float64, len(f.Ring))
	for i, p := range f.Ring {
		ring[i] = [2]float64{p.Lon, p.Lat}
	}
	relation := "intersects"
	if f.Within {
		relation = "within"
	}
	shape := map[string]any{"type": "Polygon", "coordinates": [][][2]float64{ring}}
	return filterJSON("geo_shape", "field_name", f.Field, "shape", shape, "relation", relation)
}

// MarshalJSON writes the filter as Search reads it.
func (f Not) MarshalJSON() ([]byte, error) { return filterJSON("not", "filter", f.Filter) }

// MarshalJSON writes the filter as Search reads it.
func (f And) MarshalJSON() ([]byte, error) { return filterJSON("and", "filters", []Filter(f)) }

// MarshalJSON writes the filter as Search reads it.
func (f Or) MarshalJSON() ([]byte, error) { return filterJSON("or", "filters", []Filter(f)) }
