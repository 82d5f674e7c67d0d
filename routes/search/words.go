package search

import "github.com/a-h/templ"

// chosenAttribute marks a value that is chosen.
func chosenAttribute(chosen bool) templ.Attributes {
	if chosen {
		return templ.Attributes{"aria-current": "true"}
	}
	return nil
}

// inputMode is the keyboard that phones show for an end of a range.
func inputMode(f Facet) string {
	if f.Kind == Numbers {
		return "decimal"
	}
	return "text"
}

// example is what can be typed as an end of a range.
func example(f Facet) string {
	if f.Kind == Numbers {
		return ""
	}
	return "2024-02"
}

// differs marks a row in which records differ.
func differs(is bool) templ.Attributes {
	if is {
		return templ.Attributes{"data-differs": "1", "class": "differs"}
	}
	return nil
}
