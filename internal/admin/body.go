package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"styx/internal/fault"
)

// maxBody bounds a body in bytes: Lambda takes 6 MB.
const maxBody = 5 << 20

// read reads a body that is one JSON document and nothing else, without a
// member that is unknown. The content type does not matter, as in Kratos.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := readRaw(w, r)
	if err != nil {
		return err
	}
	return decode(body, into, strict)
}

// readRaw reads a body within its bounds.
func readRaw(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, malformed("The request body is too large: at most 5 MB.")
	}
	if err != nil {
		return nil, malformed("The request body could not be read.")
	}
	if !utf8.Valid(body) {
		// encoding/json mends text, but hands through what stays raw, and the
		// table stores UTF-8 alone.
		return nil, malformed("The request body is not UTF-8.")
	}
	return body, nil
}

// Whether a member that is unknown is a mistake.
const (
	strict  = true
	lenient = false
)

func decode(body []byte, into any, strictly bool) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if strictly {
		decoder.DisallowUnknownFields()
	}
	if err := decoder.Decode(into); err != nil {
		return malformed(mistake(err, "the request body must be an object"))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return malformed("The request body goes on after its JSON document.")
	}
	return nil
}

// malformed is a 400 whose text is its message, where clients look for it.
func malformed(message string) error {
	return &fault.Error{Kind: fault.BadRequest, Message: message}
}

// maxEcho bounds in bytes how much of what was sent an error repeats.
const maxEcho = 1024

// echo is what an error repeats of what was sent.
func echo(text string) string {
	if len(text) <= maxEcho {
		return text
	}
	return strings.ToValidUTF8(text[:maxEcho], "") + "…"
}

// mistake says what is wrong with a JSON document, which as a whole must be
// something. An unknown member reads as in Kratos, `json: unknown field "x"`;
// names of our types are left out.
func mistake(err error, whole string) string {
	if errors.Is(err, io.EOF) {
		return "The request body is empty."
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "The request body ends within its JSON document."
	}
	mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return err.Error()
	}
	kind, _, _ := strings.Cut(mismatch.Value, " ") // a number stands with its digits
	if mismatch.Field == "" {
		return fmt.Sprintf("json: %s, not %s", whole, kind)
	}
	return fmt.Sprintf("json: field %q can not be of type %s", mismatch.Field, kind)
}
