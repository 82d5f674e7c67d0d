package static_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The colours at the top of app.css can be read in both schemes, as WCAG 2.2
// AA asks: 4.5 for text, 3 for the edges of what can be used. It knows those that
// are written as #rrggbb or #rgb.
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("app.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, _ := strings.Cut(string(css), "@media (prefers-color-scheme: dark) {")
	dark, _, _ := strings.Cut(rest, "\n}\n")
	pairs := []struct {
		front, back string
		want        float64
	}{
		{"text", "page", 4.5}, {"text", "card", 4.5},
		{"muted", "page", 4.5}, {"muted", "card", 4.5},
		{"brand", "page", 4.5}, {"brand", "card", 4.5},
		{"brand-strong", "page", 4.5}, {"brand-strong", "card", 4.5},
		{"on-brand", "brand", 4.5}, {"on-brand", "brand-strong", 4.5},
		{"edge", "page", 3}, {"edge", "card", 3},
		{"alert", "card", 4.5}, {"warn", "card", 4.5}, {"good", "card", 4.5},
	}
	known := 0
	for scheme, block := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`(?i)--([a-z-]+):\s*#([0-9a-f]{6}|[0-9a-f]{3});`).FindAllStringSubmatch(block, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, p := range pairs {
			front, ok := colours[p.front]
			back, ok2 := colours[p.back]
			if !ok || !ok2 {
				continue
			}
			known++
			if got := (max(front, back) + .05) / (min(front, back) + .05); got < p.want {
				t.Errorf("%s: --%s on --%s has contrast %.2f, want %.1f", scheme, p.front, p.back, got, p.want)
			}
		}
	}
	if known == 0 {
		t.Skip("app.css has no colours that this knows")
	}
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, rrggbb string) float64 {
	t.Helper()
	if len(rrggbb) == 3 {
		rrggbb = string([]byte{rrggbb[0], rrggbb[0], rrggbb[1], rrggbb[1], rrggbb[2], rrggbb[2]})
	}
	n, err := strconv.ParseUint(rrggbb, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(c uint64) float64 {
		v := float64(c&0xff) / 255
		if v <= .04045 {
			return v / 12.92
		}
		return math.Pow((v+.055)/1.055, 2.4)
	}
	return .2126*linear(n>>16) + .7152*linear(n>>8) + .0722*linear(n)
}
