package components

import (
	"math"
	"testing"
	"time"

	"example.org/portal/globus"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func TestAgoAndLeft(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		span      time.Duration
		ago, left string
	}{
		{-time.Hour, "just now", "expired"},
		{0, "just now", "expired"},
		{time.Nanosecond, "just now", "less than a minute left"},
		{29 * time.Second, "just now", "less than a minute left"},
		{59 * time.Second, "just now", "1 minute left"},
		{time.Minute, "1 minute ago", "1 minute left"},
		{3*time.Minute + 59*time.Second, "3 minutes ago", "4 minutes left"},
		{time.Hour - 1, "59 minutes ago", "1 hour left"},
		{time.Hour, "1 hour ago", "1 hour left"},
		{48*time.Hour - 1, "47 hours ago", "2 days left"},
		{48 * time.Hour, "2 days ago", "2 days left"},
		{59 * day, "59 days ago", "59 days left"},
		{60 * day, "2 months ago", "2 months left"},
		{729 * day, "24 months ago", "24 months left"},
		{730 * day, "2 years ago", "2 years left"},
		{math.MaxInt64, "292 years ago", "292 years left"},
	}
	for _, tt := range tests {
		if got := agoWords(noon, noon.Add(-tt.span)); got != tt.ago {
			t.Errorf("%v ago: got %q, want %q", tt.span, got, tt.ago)
		}
		if got := leftWords(noon, noon.Add(tt.span)); got != tt.left {
			t.Errorf("%v left: got %q, want %q", tt.span, got, tt.left)
		}
	}
	if got, want := exactTime(noon.In(time.FixedZone("", 3600))), "2026-03-04 12:00:00 UTC"; got != want {
		t.Errorf("exact time: got %q, want %q", got, want)
	}
}

func TestBytesWords(t *testing.T) {
	tests := []struct {
		n    int64
		want string
	}{
		{0, "0 B"}, {-5, "-5 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {1234567890, "1.2 GB"},
		{999_949, "999.9 kB"}, {999_950, "1.0 MB"}, {1_500_000_000_000, "1.5 TB"}, {2e15, "2.0 PB"},
		{math.MaxInt64, "9.2 EB"}, {math.MinInt64, "-9223372036854775808 B"},
	}
	for _, tt := range tests {
		if got := bytesWords(tt.n); got != tt.want {
			t.Errorf("%d: got %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestCountWords(t *testing.T) {
	tests := []struct {
		n    int64
		want string
	}{
		{0, "0 files"}, {1, "1 file"}, {999, "999 files"}, {1000, "1,000 files"}, {-1234, "-1,234 files"},
		{1234567, "1,234,567 files"}, {math.MinInt64, "-9,223,372,036,854,775,808 files"},
	}
	for _, tt := range tests {
		if got := countWords(tt.n, "file"); got != tt.want {
			t.Errorf("%d: got %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestInitials(t *testing.T) {
	tests := []struct{ name, username, want string }{
		{"Rosalind Franklin", "r@example.edu", "RF"},
		{"Rosalind Elsie Franklin", "", "RF"},
		{"rosalind", "", "R"},
		{"  \"Jo\"  O'Neil ", "", "JN"},
		{"", "salma@example.edu", "S"},
		{"", "0000-0001@orcid.org", "0"},
		{"李 明", "", "李明"},
		{"سلمى حسن", "", "سح"},
		{"\u202e<>", "x", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		if got := initials(&globus.Identity{Name: tt.name, Username: tt.username}); got != tt.want {
			t.Errorf("%q, %q: got %q, want %q", tt.name, tt.username, got, tt.want)
		}
	}
}
