package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"styx/cmd/styx/migrate"
	"styx/internal/identity"
)

func importCommand() *command {
	return &command{
		name: "import", does: "move identities in from elsewhere",
		examples: []string{
			"styx import kratos --from http://127.0.0.1:4434",
			"styx import cognito --from users.json --schema person",
		},
		parts: []*command{importKratos(), importCognito()},
	}
}

func importKratos() *command {
	return &command{
		name: "kratos", does: "move in from an Ory Kratos, with all credentials",
		about: `FROM is the admin API of a Kratos, or a file: an export of "styx export", or
identities one after the other or in a list; - is standard input. STYX_FROM_TOKEN
is sent to the API as a bearer token, as Ory Network asks for.

Identities keep their id, external id, state, traits, metadata, addresses (those
that are verified stay so), passwords, linked providers, authenticator apps,
recovery codes, security keys and passkeys. Sessions stay behind, and tokens that
providers gave out. Nothing is changed of an identity that is there already: run
it again after an interruption, or to fetch who signed up meanwhile. With
--checkpoint it goes on where it was stopped.`,
		examples: []string{
			"styx import kratos --from http://127.0.0.1:4434 --endpoint https://abc.execute-api.eu-central-1.amazonaws.com",
			"styx import kratos --from export.ndjson --checkpoint import.state",
		},
		prepare: func(flags *flag.FlagSet) action {
			moving := movingFlags(flags)
			from := flags.String("from", "", "`URL` of an admin API, or a file")
			return func(ctx context.Context, c *call) error {
				if err := moving.check(c); err != nil {
					return err
				}
				if isURL(*from) {
					token := lookup(c.environ)("STYX_FROM_TOKEN")
					source, err := moving.kratos(*from, token)
					if err != nil {
						return err
					}
					return moving.run(ctx, c, *from, source, newProgress(c.errs, unknownPart))
				}
				return moving.file(ctx, c, *from, func(in io.Reader, each func(migrate.Record, error) error) error {
					return migrate.Objects(in, func(raw json.RawMessage) error { return each(migrate.FromKratos(raw)) }, "identities")
				})
			}
		},
	}
}

func isURL(from string) bool {
	return strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://")
}

// file imports from a file, "-" for standard input. A position in it is the
// number of identities before.
func (m *moving) file(ctx context.Context, c *call, name string, read func(io.Reader, func(migrate.Record, error) error) error) error {
	if name == "" {
		return misused("name what to import from with --from")
	}
	in, part := &meter{from: c.in}, unknownPart
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // who runs this names it
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		in.from = file
		if size := info.Size(); size > 0 {
			part = func() float64 { return float64(in.read.Load()) / float64(size) }
		}
	}
	source := func(ctx context.Context, from string, each func(migrate.Record, error, string) error) error {
		skip, err := strconv.Atoi("0" + from)
		if err != nil {
			return fmt.Errorf("the checkpoint is not one of a file: %w", err)
		}
		count := 0
		return read(in, func(record migrate.Record, failed error) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			position := ""
			if count++; count%m.batch == 0 {
				position = strconv.Itoa(count)
			}
			if count <= skip {
				return nil
			}
			return each(record, failed, position)
		})
	}
	return m.run(ctx, c, name, source, newProgress(c.errs, part))
}

// notIncluded finds the type of credential that a Kratos does not know.
var notIncluded = regexp.MustCompile("Invalid value `\\[?([a-z_]+)\\]?` for parameter `include_credential`")

// kratos reads identities from the admin API of a Kratos, page by page. A
// position is the token of a page.
func (m *moving) kratos(from, token string) (source, error) {
	base, err := url.Parse(strings.TrimSuffix(from, "/"))
	if err != nil || base.Host == "" {
		return nil, misused("%q is no URL", from)
	}
	kratos := newAPI(base, bearer{token, http.DefaultTransport})
	return func(ctx context.Context, position string, each func(migrate.Record, error, string) error) error {
		include := migrate.Exported()
		for {
			query := url.Values{"page_size": {strconv.Itoa(m.batch)}, "include_credential": names(include)}
			if position != "" {
				query.Set("page_token", position)
			}
			rows, next, err := kratos.page(ctx, identitiesPath, query)
			if err != nil {
				unknown := notIncluded.FindStringSubmatch(err.Error())
				if unknown == nil || !slices.Contains(names(include), unknown[1]) {
					return fmt.Errorf("read from %s: %w", base.Host, err)
				}
				include = slices.DeleteFunc(include, func(kind identity.CredentialType) bool { return string(kind) == unknown[1] })
				continue
			}
			for at, row := range rows {
				after := ""
				if at == len(rows)-1 {
					after = next
				}
				record, failed := migrate.FromKratos(row)
				if err := each(record, failed, after); err != nil {
					return err
				}
			}
			if position = next; next == "" {
				return nil
			}
		}
	}, nil
}

func names(kinds []identity.CredentialType) []string {
	all := make([]string, len(kinds))
	for at, kind := range kinds {
		all[at] = string(kind)
	}
	return all
}

// bearer sends a token along, if there is one.
type bearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip sends a copy of the request.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.next.RoundTrip(r)
}

func importCognito() *command {
	return &command{
		name: "cognito", does: "move in from an Amazon Cognito user pool, which hands out no passwords",
		about: `FROM is what "aws cognito-idp list-users" prints, or CSV whose first line names
the attributes; - is standard input.

An identity's id is the user's sub, so that applications find their users again.
Cognito keeps its password hashes to itself, so there are two ways:

  --passwords reset  nobody has a password; each sets a new one by recovery
  --passwords hook   the first sign-in asks the password migration hook of the
                     configuration (selfservice.methods.password.config.migrate_hook),
                     which asks Cognito; then the password is kept here

Addresses that Cognito has verified are verified here, username and status stand
in metadata_admin.cognito.`,
		examples: []string{
			"aws cognito-idp list-users --user-pool-id eu-central-1_abc > users.json",
			"styx import cognito --from users.json --schema person --trait email=email --trait name.first=given_name",
			"styx import cognito --from users.csv --passwords hook --provider Google=google",
		},
		prepare: func(flags *flag.FlagSet) action {
			moving := movingFlags(flags)
			from := flags.String("from", "", "a `FILE` of users, JSON or CSV")
			schema := flags.String("schema", "", "`ID` of the identities' schema (default: the API's default)")
			passwords := choose(flags, "passwords", "what becomes of `PASSWORDS`", "reset", "hook")
			var traits, providers list
			flags.Var(&traits, "trait", "`TRAIT=ATTRIBUTE` that it is filled from; may be repeated (default email=email)")
			flags.Var(&providers, "provider", "`NAME=ID` of a sign-in provider there and here; may be repeated")
			return func(ctx context.Context, c *call) error {
				if err := moving.check(c); err != nil {
					return err
				}
				if len(traits) == 0 {
					traits = list{"email=email"}
				}
				filled, err := migrate.Attributes(traits)
				known, err2 := migrate.Attributes(providers)
				if err = errors.Join(err, err2); err != nil {
					return misused("%v", err)
				}
				users := migrate.Cognito{SchemaID: *schema, Traits: filled, Providers: known, AskHook: passwords.value == "hook"}
				return moving.file(ctx, c, *from, func(in io.Reader, each func(migrate.Record, error) error) error {
					return users.Read(in, each)
				})
			}
		},
	}
}
