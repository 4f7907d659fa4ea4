//go:build !linux

package local

import (
	"errors"
	"os"
)

// nameless returns an empty file whose name is gone: it ends with the process.
func nameless() (*os.File, error) {
	f, err := os.CreateTemp("", "styx-table-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
