package session

import (
	"encoding/json"
	"fmt"
	"time"
)

// recordVersion changes when an older program could misread what a newer one
// wrote. A record of another version is no session.
const recordVersion = 1

// A codec turns scs's values, of which there is one, into versioned JSON: gob,
// scs's own choice, fails for good on a type that was renamed.
type codec struct{}

type envelope struct {
	Version  int       `json:"version"`
	Deadline time.Time `json:"deadline"`
	Record   *Record   `json:"record"`
}

func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(envelope{recordVersion, deadline, values[recordKey].(*Record)})
}

func (codec) Decode(b []byte) (time.Time, map[string]any, error) {
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil || e.Record == nil {
		return time.Time{}, nil, fmt.Errorf("%w: it is not a record", errUnreadable)
	}
	if e.Version != recordVersion {
		return time.Time{}, nil, fmt.Errorf("%w: its version is %d", errUnreadable, e.Version)
	}
	return e.Deadline, map[string]any{recordKey: e.Record}, nil
}
