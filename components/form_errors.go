package components

// FieldErrors is what is wrong with a form that a person sent, in the order of its
// fields; nil means that nothing is. A template shows it with ErrorSummary and
// FieldError, and web.ShowInvalid answers with that.
type FieldErrors []fieldError

type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Add adds what is wrong with the field of that name, in a sentence that says what to do.
func (errs *FieldErrors) Add(field, message string) {
	*errs = append(*errs, fieldError{field, message})
}

// Invalid is the aria-invalid attribute of the field of that name.
func (errs FieldErrors) Invalid(field string) string {
	if len(errs.messages(field)) == 0 {
		return "false"
	}
	return "true"
}

func (errs FieldErrors) messages(field string) (all []string) {
	for _, e := range errs {
		if e.Field == field {
			all = append(all, e.Message)
		}
	}
	return all
}
