package globustest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"time"
)

// folder is where the files of a kind are in the collection "Public reference data".
func (k demoKind) folder() string { return strings.ReplaceAll(strings.ToLower(k.title), " ", "-") }

// datasetFiles are the files of the datasets in DemoIndexes that can be shown on a page: text,
// a table and an image of each kind.
func datasetFiles() (files []File) {
	for i, kind := range demoKinds {
		readings := kind.readings(i)
		var table strings.Builder
		table.WriteString("day,value,unit,remark\n")
		for day, value := range readings {
			remark := ""
			if day == 11 {
				remark = `"rain, ""heavy"""`
			}
			fmt.Fprintf(&table, "2024-%02d-%02d,%.2f,%s,%s\n", 1+day/28, 1+day%28, value, kind.unit, remark)
		}
		for name, content := range map[string]string{
			"README.txt":   kind.title + "\n\n" + kind.about + "\nInstrument: " + kind.instrument + ". Unit: " + kind.unit + ".\nreadings.csv has one reading a day.\n",
			"readings.csv": table.String(), "readings.png": plot(readings),
		} {
			files = append(files, File{Path: "/datasets/" + kind.folder() + "/" + name, Content: content, Ago: time.Duration(30+i) * day})
		}
	}
	return files
}

// readings are made up, one for each of 84 days.
func (k demoKind) readings(n int) (values []float64) {
	for i := range 84 {
		x := float64(i) / 9
		values = append(values, 20+float64(n)*3+9*math.Sin(x+float64(n))+3*math.Sin(4.1*x))
	}
	return values
}

// plot draws values as bars, as a PNG.
func plot(values []float64) string {
	const bar, height = 4, 120
	img := image.NewPaletted(image.Rect(0, 0, bar*len(values), height), color.Palette{color.White, color.RGBA{0x1d, 0x55, 0x91, 0xff}})
	for i, value := range values {
		for x := range bar - 1 {
			for y := range min(int(2*value), height) {
				img.SetColorIndex(i*bar+x, height-1-y, 1)
			}
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // cannot fail: the image is not empty, and b takes everything
	return b.String()
}
