package outbound

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

var (
	// ErrTooLarge says that a body is larger than the caller can hold.
	ErrTooLarge = errors.New("outbound: too large")
	// ErrScheme says that a source is not file://, base64://, http:// or https://.
	ErrScheme = errors.New("outbound: not a file://, base64://, http:// or https:// source")
)

// ReadAll reads the whole body of a response, at most limit bytes, and closes it.
// It answers ErrTooLarge rather than a part.
func ReadAll(resp *http.Response, limit int64) ([]byte, error) {
	defer resp.Body.Close()
	return readAll(resp.Body, limit)
}

// Fetch returns what a configuration's URI points to, at most limit bytes:
//
//	file://<path>          relative paths start at dir
//	base64://<std base64>  the content itself
//	http://…  https://…    answered with 200
//
// The path of a file URI is taken as it is, without percent-decoding, as Kratos
// does. Errors: ErrScheme, ErrTooLarge, ErrRefused, and those of the file system
// and the network.
func Fetch(ctx context.Context, client *http.Client, dir, uri string, limit int64) ([]byte, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return nil, ErrScheme
	}
	switch scheme {
	case "file":
		return readFile(dir, rest, limit)
	case "base64":
		content, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return nil, fmt.Errorf("read a base64:// source: %w", err)
		}
		if int64(len(content)) > limit {
			return nil, ErrTooLarge
		}
		return content, nil
	case "http", "https":
		return get(ctx, client, uri, limit)
	}
	return nil, ErrScheme
}

func readFile(dir, path string, limit int64) ([]byte, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	file, err := os.Open(path) //nolint:gosec // the operator's configuration names it
	if err != nil {
		return nil, fmt.Errorf("read a file:// source: %w", err)
	}
	defer func() { _ = file.Close() }()
	return readAll(file, limit)
}

func get(ctx context.Context, client *http.Client, uri string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, fmt.Errorf("read an http source: %w", err)
	}
	resp, err := Do(client, req)
	if err != nil {
		return nil, fmt.Errorf("read an http source: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("read an http source: it answered %d", resp.StatusCode)
	}
	return ReadAll(resp, limit)
}

func readAll(r io.Reader, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read a body: %w", err)
	}
	if int64(len(content)) > limit {
		return nil, ErrTooLarge
	}
	return content, nil
}
