// Package licenses is `portal -licenses`: the terms under which the program's parts
// may be passed on, which ask that they are passed on with it.
package licenses

import (
	_ "embed"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

//go:embed licenses.txt
var texts string

// Print writes which modules the program is made of, and their licences, those of
// vendored files in static/ included. The icon is the project's own, and fonts are
// those of the browser's machine. go run ./.ci/licenses writes the texts.
func Print(out io.Writer) error {
	fmt.Fprintln(out, "Portal itself comes without a licence as yet. It is made of:")
	fmt.Fprintln(out)
	fmt.Fprintln(out, "  Go", runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			fmt.Fprintln(out, " ", m.Path, m.Version)
		}
	}
	_, err := fmt.Fprint(out, "\nand of files in static/. Their licences:\n\n", texts)
	return err
}
