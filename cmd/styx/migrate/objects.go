package migrate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Objects hands over each JSON object of a file: objects one after the other, as
// in NDJSON, or in lists, also where those are what one of the members named in
// within holds.
func Objects(from io.Reader, each func(json.RawMessage) error, within ...string) error {
	buffered := bufio.NewReader(from)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(len(mark)) // a byte order mark
	}
	o := objects{json.NewDecoder(buffered), each, within}
	for {
		token, err := o.in.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return o.amiss(err)
		}
		switch token {
		case json.Delim('['):
			err = o.list()
		case json.Delim('{'):
			err = o.object()
		default:
			err = errors.New("neither an object nor a list of them")
		}
		if err != nil {
			return err
		}
	}
}

type objects struct {
	in     *json.Decoder
	each   func(json.RawMessage) error
	within []string
}

// list reads the rest of a list.
func (o objects) list() error {
	for o.in.More() {
		var one json.RawMessage
		if err := o.in.Decode(&one); err != nil {
			return o.amiss(err)
		}
		if one[0] != '{' {
			return errors.New("an item of the list is no object")
		}
		if err := o.each(one); err != nil {
			return err
		}
	}
	return o.closed()
}

// object reads the rest of an object. It counts as one of those that are looked
// for, unless it holds a list of them.
func (o objects) object() error {
	members, holds := map[string]json.RawMessage{}, false
	for o.in.More() {
		token, err := o.in.Token()
		if err != nil {
			return o.amiss(err)
		}
		name, _ := token.(string)
		if slices.Contains(o.within, name) {
			holds = true
			if token, err = o.in.Token(); err != nil || token != json.Delim('[') {
				return fmt.Errorf("%s is no list", name)
			}
			if err := o.list(); err != nil {
				return err
			}
			continue
		}
		var value json.RawMessage
		if err := o.in.Decode(&value); err != nil {
			return o.amiss(err)
		}
		members[name] = value
	}
	if err := o.closed(); err != nil || holds {
		return err
	}
	one, err := json.Marshal(members)
	if err != nil {
		return fmt.Errorf("copy an object: %w", err)
	}
	return o.each(one)
}

// amiss says where a file is none.
func (o objects) amiss(err error) error {
	return fmt.Errorf("not JSON at byte %d: %w", o.in.InputOffset(), err)
}

func (o objects) closed() error {
	if _, err := o.in.Token(); err != nil {
		return o.amiss(err)
	}
	return nil
}
