package globustest

import "slices"

// consented reports whether a person has allowed an app all that it asks for.
func (e *Emulator) consented(person string, q authRequest) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	allowed := e.state.Consents[person][q.client.ID]
	return !slices.ContainsFunc(slices.Concat(q.scopes, q.dependent), func(s scope) bool {
		return !slices.Contains(allowed, s.Name)
	})
}

// consent remembers that a person has allowed an app what it asks for, and
// returns all that they have allowed it. It needs e.mu, and a save after it.
func (e *Emulator) consent(person string, q authRequest) []string {
	allowed := slices.Clone(e.state.Consents[person][q.client.ID])
	for _, s := range slices.Concat(q.scopes, q.dependent) {
		if !slices.Contains(allowed, s.Name) {
			allowed = append(allowed, s.Name)
		}
	}
	if e.state.Consents[person] == nil {
		e.state.Consents[person] = map[string][]string{}
	}
	e.state.Consents[person][q.client.ID] = allowed
	return allowed
}
