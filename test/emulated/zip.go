package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
)

// extra is a file that goes into a function's zip.
type extra struct {
	name    string
	content []byte
}

// repack returns a zip's bootstrap, compressed as it is, with other files.
func repack(path string, files []extra) ([]byte, error) {
	from, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("repack: %w", err)
	}
	defer func() { _ = from.Close() }() // only read
	var packed bytes.Buffer
	to := zip.NewWriter(&packed)
	for _, entry := range from.File {
		if entry.Name == "bootstrap" {
			if err := to.Copy(entry); err != nil {
				return nil, fmt.Errorf("repack %s: %w", path, err)
			}
		}
	}
	for _, file := range files {
		into, err := to.Create(file.name)
		if err == nil {
			_, err = io.Copy(into, bytes.NewReader(file.content))
		}
		if err != nil {
			return nil, fmt.Errorf("repack %s: %w", path, err)
		}
	}
	if err := to.Close(); err != nil {
		return nil, fmt.Errorf("repack %s: %w", path, err)
	}
	return packed.Bytes(), nil
}
