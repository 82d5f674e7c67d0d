package globus

import (
	"bytes"
	"encoding/json"
)

// The types of facets (Search API, POST query, "Facets").
const (
	FacetTerms            = "terms"
	FacetDateHistogram    = "date_histogram"
	FacetNumericHistogram = "numeric_histogram"
	FacetSum              = "sum"
	FacetAvg              = "avg"
	FacetDistinctCount    = "distinct_count"
)

// A Facet says what to count, or to compute, about the subjects that a query finds.
type Facet struct {
	Type  string // one of the types above; required
	Field string // required
	Name  string // of the result; "": Field. Two facets with one Field need different names

	// Size is the number of values to return, the most frequent, with FacetTerms, where 0
	// means 10, and of steps with FacetNumericHistogram, which requires it.
	Size int

	// Interval is the step of FacetDateHistogram, which requires it: year, quarter, month,
	// week, day, hour, minute or second.
	Interval string

	// Low and High are the range of a histogram: numbers, or dates as text.
	// FacetNumericHistogram requires them; nil: everything.
	Low, High any

	Missing *float64 // counts for subjects without a value, with FacetSum and FacetAvg; nil: they do not count

	Filters []Filter // only what matches these counts for this facet; nil: everything does
}

// MarshalJSON writes the facet as Search reads it.
func (f Facet) MarshalJSON() ([]byte, error) {
	doc := map[string]any{"type": f.Type, "field_name": f.Field}
	for name, value := range map[string]string{"name": f.Name, "date_interval": f.Interval} {
		if value != "" {
			doc[name] = value
		}
	}
	if f.Size > 0 {
		doc["size"] = f.Size
	}
	if f.Low != nil || f.High != nil {
		doc["histogram_range"] = map[string]any{"low": f.Low, "high": f.High}
	}
	if f.Missing != nil {
		doc["missing"] = *f.Missing
	}
	set(doc, "additional_filters", f.Filters)
	return json.Marshal(doc)
}

// A FacetResult is the result of a Facet.
type FacetResult struct {
	Name        string   `json:"name"`              // that of the Facet
	Buckets     []Bucket `json:"buckets"`           // of FacetTerms and histograms; nil: none
	Value       *float64 `json:"value"`             // of FacetSum and FacetAvg; nil: nothing was found
	Approximate int64    `json:"approximate_value"` // of FacetDistinctCount
}

// A Bucket is one value, or one step of a histogram, and how many subjects have it.
type Bucket struct {
	// Value is a string, a json.Number or a bool. Steps of FacetDateHistogram are
	// strings such as 2021, 2021-05 or 2021-05-04. Nil: it is a step of numbers.
	Value any

	From, To any // the step of numbers: From <= x < To, as json.Number; other values than a number mean that it has no such end

	Count int64 // of subjects
}

// UnmarshalJSON reads the bucket.
func (b *Bucket) UnmarshalJSON(text []byte) error {
	var doc struct {
		Value any
		Count int64
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := leaveOut(d.Decode(&doc)); err != nil {
		return err
	}
	b.Value, b.Count = doc.Value, doc.Count
	if step, ok := doc.Value.(map[string]any); ok {
		b.Value, b.From, b.To = nil, step["from"], step["to"]
	}
	return nil
}
