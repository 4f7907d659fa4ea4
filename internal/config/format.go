package config

import (
	"errors"
	"math"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// format is a kind of text that config.schema.json names.
type format struct {
	valid   func(string) bool
	allowed string
}

// formatNames are the formats of config.schema.json.
const formatNames = "uri uri-reference data-uri go-duration byte-size cidr date-time"

func formatOf(name string) (format, bool) {
	switch name {
	case "uri":
		return format{absoluteURI, "an absolute URL"}, true
	case "uri-reference":
		return format{anyURI, "a URL"}, true
	case "data-uri":
		return format{dataURI, "a file://, http://, https:// or base64:// URL"}, true
	case "go-duration":
		return format{isDuration, "a duration such as 90s, 15m or 1h30m"}, true
	case "byte-size":
		return format{isByteSize, "a size such as 19MB"}, true
	case "cidr":
		return format{isCIDR, "a network such as 10.0.0.0/8"}, true
	case "date-time":
		return format{isTime, "a time such as 2026-01-31T12:00:00Z"}, true
	}
	return format{}, false
}

// Formats returns a check for each format name that config.schema.json uses:
// some are ours, the others are as strict here as [Load] is.
func Formats() map[string]func(string) bool {
	out := make(map[string]func(string) bool)
	for name := range strings.FieldsSeq(formatNames) {
		f, _ := formatOf(name)
		out[name] = f.valid
	}
	return out
}

func anyURI(s string) bool {
	_, err := url.Parse(s)
	return err == nil
}

func absoluteURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "" || u.Path != "")
}

// dataURI looks at the scheme alone: base64 data need not parse as a URL.
func dataURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	return ok && rest != "" && (scheme == "file" || scheme == "http" || scheme == "https" || scheme == "base64")
}

func isDuration(s string) bool {
	d, err := time.ParseDuration(s)
	return err == nil && d >= 0 && s[0] != '-' && s[0] != '+'
}

func isCIDR(s string) bool {
	_, err := netip.ParsePrefix(s)
	return err == nil
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func isByteSize(s string) bool {
	_, err := parseByteSize(s)
	return err == nil
}

// parseByteSize reads sizes such as "128MB" into bytes. As in Kratos a KB is
// 1024 bytes, and so on; "MiB" says the same.
func parseByteSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || digits[0] == '+' {
		return 0, errors.New("not a size")
	}
	var shift uint
	switch strings.ToUpper(strings.TrimSpace(s[len(digits):])) {
	case "B":
	case "KB", "KIB":
		shift = 10
	case "MB", "MIB":
		shift = 20
	case "GB", "GIB":
		shift = 30
	case "TB", "TIB":
		shift = 40
	default:
		return 0, errors.New("not a size")
	}
	if n > math.MaxInt64>>shift {
		return 0, errors.New("too large")
	}
	return n << shift, nil
}
