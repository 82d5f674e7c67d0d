package globustest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// findWords returns the condition that an entry has one of the words or, with every, all of
// them. Without a word it has what is asked for.
func findWords(wanted []string, every bool) condition {
	return func(e *indexed) bool {
		has := func(word string) bool { return e.words[word] }
		if every {
			return !slices.ContainsFunc(wanted, func(word string) bool { return !has(word) })
		}
		return len(wanted) == 0 || slices.ContainsFunc(wanted, has)
	}
}

// An advancedParser parses a query in the syntax of Lucene, as far as clients use it:
// field:value, "phrase", AND, OR, NOT, + and -, brackets, [a TO b], {a TO b}, >=, *, ? and
// backslashes.
type advancedParser struct {
	n    *index
	rest string
	and  bool // between words without an operator
}

var errAdvanced = errors.New("unexpected end, or character")

func (n *index) parseAdvanced(text string, and bool) (condition, error) {
	p := &advancedParser{n, text, and}
	cond, err := p.either("")
	if err == nil && p.blanks() != "" {
		return nil, fmt.Errorf("%w at %.10q", errAdvanced, p.rest)
	}
	return cond, err
}

// blanks skips blanks, and returns what follows.
func (p *advancedParser) blanks() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.rest
}

// take skips one of tokens that comes next.
func (p *advancedParser) take(tokens ...string) bool {
	p.blanks()
	for _, token := range tokens {
		after, ok := strings.CutPrefix(p.rest, token)
		if isWord := unicode.IsLetter(rune(token[0])); ok && (!isWord || after == "" || strings.ContainsAny(after[:1], " \t\r\n(")) {
			p.rest = after
			return true
		}
	}
	return false
}

// either parses clauses between which OR stands, or AND.
func (p *advancedParser) either(field string) (condition, error) {
	var any []condition
	for {
		each, err := p.both(field)
		if err != nil {
			return nil, err
		}
		any = append(any, each)
		if p.take("OR", "||") {
			continue
		}
		if p.blanks() == "" || p.rest[0] == ')' {
			return some(any...), nil
		}
	}
}

// both parses clauses that must all match.
func (p *advancedParser) both(field string) (condition, error) {
	var each []condition
	for {
		cond, err := p.clause(field)
		if err != nil {
			return nil, err
		}
		each = append(each, cond)
		explicit := p.take("AND", "&&")
		before := p.rest
		isOr := p.take("OR", "||")
		p.rest = before
		next := p.blanks()
		if !explicit && (isOr || next == "" || next[0] == ')' || !p.and && !strings.ContainsAny(next[:1], "+-!") && !strings.HasPrefix(next, "NOT ")) {
			return all(each...), nil
		}
	}
}

// clause parses one clause: a negation, a group, or a value with or without a field.
func (p *advancedParser) clause(field string) (condition, error) {
	if p.take("NOT", "-", "!") {
		cond, err := p.clause(field)
		return func(e *indexed) bool { return !cond(e) }, err
	}
	p.take("+")
	if p.take("(") {
		cond, err := p.either(field)
		if err == nil && !p.take(")") {
			err = errAdvanced
		}
		return cond, err
	}
	if p.blanks() == "" {
		return nil, errAdvanced
	}
	if name, ok := p.fieldName(); ok {
		if field != "" {
			return nil, errAdvanced
		}
		if p.take("(") {
			p.rest = "(" + p.rest
			return p.clause(name)
		}
		return p.value(name)
	}
	return p.value(field)
}

// fieldName takes the name of a field, up to a colon, in which the dots of a key are
// escaped.
func (p *advancedParser) fieldName() (name string, ok bool) {
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
		case c == ':' && i > 0:
			name = p.rest[:i]
			p.rest = p.rest[i+1:]
			return name, true
		case strings.IndexByte(" \t\r\n()[]{}\"<>=", c) >= 0:
			return "", false
		}
	}
	return "", false
}

// value parses what a field, or anything if field is empty, must have.
func (p *advancedParser) value(field string) (condition, error) {
	p.blanks()
	switch {
	case p.rest == "":
		return nil, errAdvanced
	case p.take(`"`):
		text, ok := p.until('"')
		if !ok {
			return nil, errAdvanced
		}
		phrase := words(text)
		return p.in(field, func(v any) bool { return containsRun(words(plainText(v)), phrase) }), nil
	case p.rest[0] == '[' || p.rest[0] == '{':
		return p.span(field)
	}
	for _, operator := range []string{">=", "<=", ">", "<"} {
		if p.take(operator) {
			word, err := p.word()
			if err != nil || field == "" {
				return nil, errAdvanced
			}
			return p.compare(field, operator, word)
		}
	}
	word, err := p.word()
	if err != nil {
		return nil, err
	}
	if word == "*" {
		return p.in(field, func(any) bool { return true }), nil
	}
	if strings.ContainsAny(word, "*?") {
		form := wildcard(word)
		return p.in(field, func(v any) bool { return slices.ContainsFunc(words(plainText(v)), form.MatchString) }), nil
	}
	wanted := words(word)
	return p.in(field, func(v any) bool {
		return strings.EqualFold(plainText(v), word) || len(wanted) > 0 && containsRun(words(plainText(v)), wanted)
	}), nil
}

// in returns the condition that a field, or any field, has a value that matches.
func (p *advancedParser) in(field string, matches func(v any) bool) condition {
	return func(e *indexed) bool {
		if field != "" {
			return slices.ContainsFunc(e.fields[field], matches)
		}
		for _, values := range e.fields {
			if slices.ContainsFunc(values, matches) {
				return true
			}
		}
		return false
	}
}

// word takes a word, in which backslashes escape.
func (p *advancedParser) word() (string, error) {
	var b strings.Builder
	for p.rest != "" && strings.IndexByte(" \t\r\n()[]{}\":^~", p.rest[0]) < 0 {
		if p.rest[0] == '\\' {
			if p.rest = p.rest[1:]; p.rest == "" {
				return "", errAdvanced
			}
		}
		b.WriteByte(p.rest[0])
		p.rest = p.rest[1:]
	}
	if slices.Contains([]string{"", "AND", "OR", "NOT"}, b.String()) || p.rest != "" && p.rest[0] == ':' {
		return "", errAdvanced
	}
	return b.String(), nil
}

// until takes a text up to a character that is not escaped.
func (p *advancedParser) until(end byte) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		switch {
		case p.rest[i] == '\\' && i+1 < len(p.rest):
			i++
		case p.rest[i] == end:
			p.rest = p.rest[i+1:]
			return b.String(), true
		}
		b.WriteByte(p.rest[i])
	}
	return "", false
}

// span parses [a TO b], in which { and } leave out an end.
func (p *advancedParser) span(field string) (condition, error) {
	end := strings.IndexAny(p.rest, "]}")
	if end < 0 || field == "" {
		return nil, errAdvanced
	}
	low, high, ok := strings.Cut(p.rest[1:end], " TO ")
	if !ok {
		return nil, errAdvanced
	}
	from, to := ">=", "<="
	if p.rest[0] == '{' {
		from = ">"
	}
	if p.rest[end] == '}' {
		to = "<"
	}
	p.rest = p.rest[end+1:]
	above, err := p.compare(field, from, strings.Trim(strings.TrimSpace(low), `"`))
	if err != nil {
		return nil, err
	}
	below, err := p.compare(field, to, strings.Trim(strings.TrimSpace(high), `"`))
	return all(above, below), err
}

func (p *advancedParser) compare(field, operator, end string) (condition, error) {
	if end == "*" {
		return p.in(field, func(any) bool { return true }), nil
	}
	compare, ok := comparison(p.n.types[field], end)
	if !ok {
		return nil, fmt.Errorf("%q is no value of the field %s", end, field)
	}
	return p.in(field, func(v any) bool {
		n := compare(v)
		return operator == ">" && n > 0 || operator == ">=" && n >= 0 || operator == "<" && n < 0 || operator == "<=" && n <= 0
	}), nil
}

// containsRun reports whether all has part as a run.
func containsRun(all, part []string) bool {
	for i := range len(all) - len(part) + 1 {
		if slices.Equal(all[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
