package session

import (
	"encoding/json"
	"fmt"
	"time"
)

// recordVersion changes when an older program could misread what a newer one
// wrote. A record of another version is no session.
const recordVersion = 1

const recordKey = "record" // in scs's values

// A codec is the scs.Codec of our sessions. It encodes scs's only value, the
// record, as JSON with a version. Gob, the default of scs, cannot decode a record
// whose type was renamed.
type codec struct{}

type envelope struct {
	Version  int       `json:"version"`
	Deadline time.Time `json:"deadline"`
	Record   *Record   `json:"record"`
}

func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(envelope{recordVersion, deadline, values[recordKey].(*Record)})
}

// Decode returns errUnreadable for anything that is not a record of this version.
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
