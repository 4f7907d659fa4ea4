package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"styx/internal/config"
)

// file is one file of a zip.
type file struct {
	name    string // with slashes, no slash in front
	content []byte
	mode    fs.FileMode
}

// epoch is the time every file in a zip bears: the first a zip can name.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// pack makes a zip of the files. Its bytes depend on names, contents and modes.
func pack(files []file) ([]byte, error) {
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	for _, one := range slices.SortedFunc(slices.Values(files), byName) {
		header := &zip.FileHeader{Name: one.name, Method: zip.Deflate, Modified: epoch}
		header.SetMode(one.mode)
		body, err := writer.CreateHeader(header)
		if err != nil {
			return nil, fmt.Errorf("zip %s: %w", one.name, err)
		}
		if _, err := body.Write(one.content); err != nil {
			return nil, fmt.Errorf("zip %s: %w", one.name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("zip: %w", err)
	}
	return buffer.Bytes(), nil
}

// configFiles reads the files under folder, none for "", and, where they are to be
// kept apart, the secrets of the configuration. It refuses, all at once, the files
// that hold a secret.
func configFiles(folder string, keepApart bool) (files []file, secrets map[string]string, err error) {
	if folder == "" {
		return nil, nil, nil
	}
	var found []error
	root := os.DirFS(folder)
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if name == "bootstrap" || name == config.ApartList {
			return fmt.Errorf("a file named %s would replace the function's", name)
		}
		if path.Ext(name) == ".db" {
			// dsn: file://… puts it beside the configuration.
			return fmt.Errorf("%s is a database: build from a folder with configuration alone", name)
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if keepApart && name == configuration {
			if content, secrets, err = apart(content); err != nil {
				return err
			}
		}
		var taken map[string]string
		if name == configuration {
			taken = secrets
		}
		found = append(found, secretsIn(name, content, taken)...)
		files = append(files, file{name, content, 0o644})
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(secrets) > 0 {
		keys := strings.Join(slices.Sorted(maps.Keys(secrets)), "\n") + "\n"
		files = append(files, file{config.ApartList, []byte(keys), 0o644})
	}
	return files, secrets, errors.Join(found...)
}
