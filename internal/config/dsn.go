package config

import (
	"errors"
	"net/url"
	"strings"
)

// Kinds of DSN.
const (
	Memory   = "memory"
	File     = "file"
	DynamoDB = "dynamodb"
)

// DSN says where data lives. The zero DSN is invalid; [ParseDSN] makes one.
type DSN struct {
	Kind     string // Memory, File, DynamoDB
	Path     string // File: where, relative to the working directory unless absolute
	Table    string // DynamoDB: name of the table
	Region   string // DynamoDB: "" = the environment's
	Endpoint string // DynamoDB: "" = AWS
}

// dsnForms is what a refused DSN is told.
const dsnForms = `"memory", "file://<path>" or "dynamodb://<table>?region=<region>&endpoint=<url>"`

// sqlSchemes are the databases Kratos keeps its data in.
const sqlSchemes = " postgres postgresql mysql cockroach cockroachdb crdb sqlite sqlite3 mariadb "

// ParseDSN reads a DSN; the empty one is memory. Errors never repeat the value:
// a SQL DSN holds a password.
func ParseDSN(s string) (DSN, error) {
	if s == "" || s == "memory" || s == "memory://" {
		return DSN{Kind: Memory}, nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case ok && strings.Contains(sqlSchemes, " "+strings.ToLower(scheme)+" "):
		return DSN{}, errors.New("SQL databases are not supported: take the data over with `styx import kratos`, then use " + dsnForms)
	case ok && scheme == File:
		if rest == "" || strings.ContainsAny(rest, "?#\x00") {
			return DSN{}, errors.New("file:// needs a plain path, such as file://./styx.db")
		}
		return DSN{Kind: File, Path: rest}, nil
	case ok && scheme == DynamoDB:
		return parseDynamoDB(rest)
	}
	return DSN{}, errors.New("must be " + dsnForms)
}

func parseDynamoDB(rest string) (DSN, error) {
	table, query, _ := strings.Cut(rest, "?")
	d := DSN{Kind: DynamoDB, Table: strings.TrimSuffix(table, "/")}
	if !tableName(d.Table) {
		return DSN{}, errors.New("dynamodb:// needs the name of a table: 3 to 255 of a-z, A-Z, 0-9, '_', '-' and '.'")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return DSN{}, errors.New("the part after '?' of dynamodb:// must be region=<region>&endpoint=<url>")
	}
	for name := range values {
		if name != "region" && name != "endpoint" {
			return DSN{}, errors.New("dynamodb:// takes region and endpoint only")
		}
	}
	d.Region, d.Endpoint = values.Get("region"), values.Get("endpoint")
	if d.Endpoint != "" {
		u, err := url.Parse(d.Endpoint)
		if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
			return DSN{}, errors.New("the endpoint of dynamodb:// must be an http or https URL without a user")
		}
	}
	return d, nil
}

// tableName says whether DynamoDB could have a table of that name.
func tableName(s string) bool {
	if len(s) < 3 || len(s) > 255 {
		return false
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_-.", c) >= 0) {
			return false
		}
	}
	return true
}

// String prints the DSN as it is written.
func (d DSN) String() string {
	switch d.Kind {
	case File:
		return "file://" + d.Path
	case DynamoDB:
		q := url.Values{}
		if d.Region != "" {
			q.Set("region", d.Region)
		}
		if d.Endpoint != "" {
			q.Set("endpoint", d.Endpoint)
		}
		s := "dynamodb://" + d.Table
		if len(q) > 0 {
			s += "?" + q.Encode()
		}
		return s
	}
	return d.Kind
}
