package totp

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"rsc.io/qr"
)

// side is the width and the height of the picture in pixels.
const side = 256

// margin is how many modules stay white around a QR code (ISO/IEC 18004).
const margin = 4

// picture draws a QR code as a data: URI of a PNG.
func picture(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("make a QR code: %w", err)
	}
	scale := max(1, side/(code.Size+2*margin))
	edge := (side - code.Size*scale) / 2
	drawn := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range code.Size * scale {
		for x := range code.Size * scale {
			if code.Black(x/scale, y/scale) {
				drawn.SetColorIndex(edge+x, edge+y, 1)
			}
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, drawn); err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes()), nil
}
