package session

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// TestReadRecord: a recordReader reads all that codec.Encode writes, and only what
// encoding/json/v2 reads too.
func TestReadRecord(t *testing.T) {
	full := encodeFull(t)
	empty, err := codec{}.Encode(time.Time{}, map[string]any{recordKey: &Record{}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		plain []byte
		want  bool
	}{
		{"every field", full, true},
		{"no field", empty, true},
		{"of another version", bytes.Replace(full, []byte(`"version":1`), []byte(`"version":2`), 1), false},
		{"a member of another version", bytes.Replace(full, []byte(`"began":`), []byte(`"more":1,"began":`), 1), false},
		{"a member less", bytes.Replace(empty, []byte(`,"email":""`), nil, 1), false},
		{"two tokens of a server", bytes.Replace(full, []byte(`"tokens":{`), []byte(`"tokens":{"text <&> 1":{"access_token":"","expiry":"0001-01-01T00:00:00Z","scopes":null},`), 1), false},
		{"a group twice", bytes.Replace(full, []byte(`"groups":{`), []byte(`"groups":{"text <&> 1":"active",`), 1), false},
		{"a time that is none", bytes.Replace(empty, []byte(`"0001-`), []byte(`"0001-1`), 1), false},
		{"an hour of one digit", bytes.Replace(full, []byte("T08:"), []byte("T8:"), 1), false},
		{"a zone that is none", bytes.Replace(full, []byte(`Z"`), []byte(`+24:00"`), 1), false},
		{"control characters", bytes.Replace(empty, []byte(`"name":"`), []byte("\"name\":\"\t"), 1), false},
		{"half a surrogate pair", bytes.Replace(full, []byte(`\u003c`), []byte(`\ud800`), 1), false},
		{"other than UTF-8", bytes.Replace(empty, []byte(`"name":"`), []byte("\"name\":\"\xff"), 1), false},
		{"more behind it", append(bytes.Clone(full), '1'), false},
		{"nothing", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			deadline, rec, ok := readRecord(tt.plain)
			if ok != tt.want {
				t.Fatalf("got %v, want %v: %s", ok, tt.want, tt.plain)
			}
			if !ok {
				return
			}
			wantDeadline, want, err := decodeJSON(tt.plain)
			if err != nil || !deadline.Equal(wantDeadline) || !reflect.DeepEqual(rec, want) {
				t.Errorf("got %+v until %s\nwant %+v until %s, %v", rec, deadline, want, wantDeadline, err)
			}
		})
	}
	for n := range full {
		if _, _, ok := readRecord(full[:n]); ok {
			t.Errorf("%d bytes of it are a record", n)
		}
	}
}

// encodeFull encodes a record with a value in every field.
func encodeFull(t testing.TB) []byte {
	t.Helper()
	rec := &Record{}
	setAll(reflect.ValueOf(rec).Elem())
	b, err := codec{}.Encode(fuzzNow.Add(time.Hour), map[string]any{recordKey: rec})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// setAll sets v, and all that is in it, to values other than zero.
func setAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(`text <&> 1`)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(fuzzNow))
			return
		}
		for i := range v.NumField() {
			setAll(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		setAll(v.Index(0))
		setAll(v.Index(1))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		setAll(key)
		setAll(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	default:
		panic("setAll knows no " + v.Kind().String())
	}
}
