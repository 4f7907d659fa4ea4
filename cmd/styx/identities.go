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
	"strconv"

	"styx/cmd/styx/migrate"
	"styx/internal/fault"
	"styx/internal/identity/schema"
)

const identitiesPath = "/admin/identities"

var identityColumns = columns{
	{"ID", []string{"id"}},
	{"STATE", []string{"state"}},
	{"SCHEMA", []string{"schema_id"}},
	{"ADDRESSES", []string{"verifiable_addresses.value", "recovery_addresses.value", "traits.email", "traits.username"}},
	{"EXTERNAL ID", []string{"external_id"}},
	{"CREATED", []string{"created_at"}},
}

func identitiesCommand() *command {
	return &command{
		name: "identities", does: "read and change identities",
		examples: []string{"styx identities list --format json", "styx identities delete 9f425a8d-7efc-4768-8f23-7647a74fdf13"},
		parts: []*command{
			identitiesGet(), identitiesList(), identitiesImport(), identitiesDelete(), identitiesValidate(), identitiesPatch(),
		},
	}
}

// element escapes a name for use as one element of a path.
func element(name string) string {
	if name == "." || name == ".." {
		return "%2E" + url.PathEscape(name[1:])
	}
	return url.PathEscape(name)
}

func includeFlag(flags *flag.FlagSet) *list {
	include := new(list)
	flags.Var(include, "include-credential", "show the config of credentials of this `TYPE`; may be repeated")
	return include
}

func identitiesGet() *command {
	return &command{
		name: "get", takes: "ID...", does: "show identities",
		examples: []string{
			"styx identities get 9f425a8d-7efc-4768-8f23-7647a74fdf13 --format yaml",
			"styx identities get --external-id customer-17 --include-credential oidc",
		},
		prepare: func(flags *flag.FlagSet) action {
			target, format, include := targetFlags(flags), formatFlag(flags), includeFlag(flags)
			var external list
			flags.Var(&external, "external-id", "an external `ID` to look for; may be repeated")
			return func(ctx context.Context, c *call) error {
				var paths []string
				for _, id := range external {
					paths = append(paths, identitiesPath+"/by/external/"+element(id))
				}
				for _, id := range c.args {
					paths = append(paths, identitiesPath+"/"+element(id))
				}
				if len(paths) == 0 {
					return misused("needs the id of an identity")
				}
				api, err := target.open(ctx, c)
				if err != nil {
					return err
				}
				query := url.Values{"include_credential": *include}
				return show(ctx, c, api, printer{c.out, format.value, identityColumns}, "identities", query, paths...)
			}
		},
	}
}

// show prints one document or, of several, a list. One that can not be had fails
// the command in the end.
func show(ctx context.Context, c *call, api *api, to printer, name string, query url.Values, paths ...string) error {
	if len(paths) == 1 {
		row, err := api.get(ctx, paths[0], query)
		if err != nil {
			return err
		}
		return to.one(row)
	}
	list := to.begin(name)
	failed := each(c, paths, func(path string) error {
		row, err := api.get(ctx, path, query)
		if err != nil {
			return err
		}
		return list.add([]json.RawMessage{row})
	})
	return errors.Join(list.end(""), failed)
}

// each does something for every argument, and goes on after one that fails.
func each(c *call, args []string, do func(arg string) error) error {
	failed := false
	for _, arg := range args {
		err := do(arg)
		failed = failed || err != nil
		if err != nil && !errors.Is(err, errReported) {
			_, _ = fmt.Fprintf(c.errs, "%s: %s: %v\n", c.path, arg, err)
		}
	}
	if failed {
		return errReported
	}
	return nil
}

// apply does something to each of the things that the arguments name, and prints
// the ids of those it was done to.
func apply(c *call, to printer, ids []string, do func(id string) error) error {
	done := []string{}
	failed := each(c, ids, func(id string) error {
		if err := do(id); err != nil {
			return err
		}
		done = append(done, id)
		if to.format == "table" {
			_, _ = fmt.Fprintln(to.to, id)
		}
		return nil
	})
	if to.format == "table" {
		return failed
	}
	return errors.Join(to.tell(map[string]any{"ids": done}), failed)
}

// paging are the flags of a list.
type paging struct {
	size  int
	token string
	all   bool
}

func pagingFlags(flags *flag.FlagSet) *paging {
	p := new(paging)
	flags.IntVar(&p.size, "page-size", 0, "`NUMBER` of rows of a page (default: as the API has it)")
	flags.StringVar(&p.token, "page-token", "", "`TOKEN` of the page to begin with")
	flags.BoolVar(&p.all, "all", false, "go on to the last page")
	return p
}

// print prints a list of the API.
func (p *paging) print(ctx context.Context, api *api, to printer, name, path string, query url.Values) error {
	if p.size > 0 {
		query.Set("page_size", strconv.Itoa(p.size))
	}
	if p.token != "" {
		query.Set("page_token", p.token)
	}
	list := to.begin(name)
	if !p.all {
		found, next, err := api.page(ctx, path, query)
		if err == nil {
			err = list.add(found)
		}
		if err != nil {
			return err
		}
		return list.end(next)
	}
	if err := api.walk(ctx, path, query, func(found []json.RawMessage, _ string) error { return list.add(found) }); err != nil {
		return err
	}
	return list.end("")
}

func identitiesList() *command {
	return &command{
		name: "list", does: "list identities, a page or all of them",
		examples: []string{
			"styx identities list --page-size 50",
			"styx identities list --identifier ann@example.org --include-credential password",
			"styx identities list --all --format json | jq -r '.identities[].traits.email'",
		},
		prepare: func(flags *flag.FlagSet) action {
			paging, include := pagingFlags(flags), includeFlag(flags)
			var ids list
			flags.Var(&ids, "id", "only this `ID`; may be repeated")
			filters := map[string]*string{
				"credentials_identifier":                 flags.String("identifier", "", "only who signs in with this `NAME`"),
				"preview_credentials_identifier_similar": flags.String("similar", "", "only who signs in with a name that has this `TEXT` in it"),
				"organization_id":                        flags.String("organization", "", "only who belongs to the organization of this `ID`"),
			}
			return remote(flags, "", identityColumns, func(ctx context.Context, _ *call, api *api, to printer) error {
				query := url.Values{"include_credential": *include, "ids": ids}
				for name, value := range filters {
					if *value != "" {
						query.Set(name, *value)
					}
				}
				return paging.print(ctx, api, to, "identities", identitiesPath, query)
			})
		},
	}
}

func identitiesImport() *command {
	return &command{
		name: "import", takes: "[FILE...]", does: "create identities from files",
		about: `A file holds one or more bodies of the API's "create an identity", one after
the other or in a list; without files they are read from standard input. Each is
sent on its own, and one that is refused leaves the others alone. To move in from
elsewhere use "styx import", which can be interrupted and repeated.`,
		examples: []string{
			"styx identities import people.json",
			`echo '{"schema_id":"person","traits":{"email":"ann@example.org"}}' | styx identities import`,
		},
		prepare: func(flags *flag.FlagSet) action {
			target, format := targetFlags(flags), formatFlag(flags)
			return func(ctx context.Context, c *call) error {
				api, err := target.open(ctx, c)
				if err != nil {
					return err
				}
				made := printer{c.out, format.value, identityColumns}.begin("identities")
				failed := bodies(c, func(body json.RawMessage) error {
					row, _, err := api.do(ctx, http.MethodPost, identitiesPath, nil, body, false)
					if err != nil {
						return err
					}
					return made.add([]json.RawMessage{row})
				})
				return errors.Join(made.end(""), failed)
			}
		},
	}
}

// bodies hands over each JSON object of the files that are the arguments, or of
// standard input. An error about one leaves the others alone.
func bodies(c *call, do func(body json.RawMessage) error) error {
	names := c.args
	if len(names) == 0 {
		names = []string{"-"}
	}
	return each(c, names, func(name string) error {
		from := io.NopCloser(c.in)
		if name != "-" {
			file, err := os.Open(name) //nolint:gosec // who runs this names it
			if err != nil {
				return err
			}
			from = file
		}
		defer func() { _ = from.Close() }()
		failed, count := false, 0
		err := migrate.Objects(from, func(body json.RawMessage) error {
			count++
			if err := do(body); err != nil {
				failed = true
				_, _ = fmt.Fprintf(c.errs, "%s: %s: no. %d: %v\n", c.path, name, count, err)
			}
			return nil
		})
		if err == nil && failed {
			return errReported
		}
		return err
	})
}

func identitiesDelete() *command {
	return &command{
		name: "delete", takes: "ID...", does: "delete identities, with their sessions",
		examples: []string{"styx identities delete 9f425a8d-7efc-4768-8f23-7647a74fdf13"},
		prepare: func(flags *flag.FlagSet) action {
			return remote(flags, "the id of an identity", nil, func(ctx context.Context, c *call, api *api, to printer) error {
				return apply(c, to, c.args, func(id string) error {
					_, _, err := api.do(ctx, http.MethodDelete, identitiesPath+"/"+element(id), nil, nil, false)
					return err
				})
			})
		},
	}
}

func identitiesPatch() *command {
	return &command{
		name: "patch", takes: "ID PATCH", does: "change an identity by a JSON patch (RFC 6902)",
		about: "PATCH is the patch itself, @FILE, or - for standard input.",
		examples: []string{
			`styx identities patch 9f425a8d-7efc-4768-8f23-7647a74fdf13 '[{"op":"replace","path":"/state","value":"inactive"}]'`,
			"styx identities patch 9f425a8d-7efc-4768-8f23-7647a74fdf13 @patch.json",
		},
		prepare: func(flags *flag.FlagSet) action {
			target, format := targetFlags(flags), formatFlag(flags)
			return func(ctx context.Context, c *call) error {
				if len(c.args) != 2 {
					return misused("needs the id of an identity, and a patch")
				}
				patch, err := c.text(c.args[1])
				if err != nil {
					return err
				}
				if !json.Valid(patch) {
					return misused("the patch is no JSON")
				}
				api, err := target.open(ctx, c)
				if err != nil {
					return err
				}
				row, _, err := api.do(ctx, http.MethodPatch, identitiesPath+"/"+element(c.args[0]), nil, json.RawMessage(patch), false)
				if err != nil {
					return err
				}
				return printer{c.out, format.value, identityColumns}.one(row)
			}
		},
	}
}

// text is an argument that stands for itself, @FILE, or - for standard input.
func (c *call) text(arg string) ([]byte, error) {
	if arg == "-" {
		return io.ReadAll(c.in)
	}
	if len(arg) > 0 && arg[0] == '@' {
		return os.ReadFile(arg[1:])
	}
	return []byte(arg), nil
}

func identitiesValidate() *command {
	return &command{
		name: "validate", takes: "[FILE...]", does: "check identities against their schema, without creating them",
		about: `Reads what "styx identities import" reads. The schemas are those of the API, or
the one of --schema.`,
		examples: []string{
			"styx identities validate people.json",
			"styx identities validate --schema person.schema.json people.json",
		},
		prepare: func(flags *flag.FlagSet) action {
			target, format := targetFlags(flags), formatFlag(flags)
			file := flags.String("schema", "", "a schema's `FILE`, for all of them")
			return func(ctx context.Context, c *call) error {
				api, err := target.open(ctx, c)
				if err != nil {
					return err
				}
				rules := &rulebook{api: api, file: *file, known: map[string]*schema.Validator{}}
				count := 0
				err = bodies(c, func(body json.RawMessage) error {
					count++
					return rules.judge(ctx, body)
				})
				if err != nil {
					return err
				}
				return printer{c.out, format.value, columns{{"VALID", []string{"valid"}}}}.tell(map[string]int{"valid": count})
			}
		},
	}
}

// rulebook judges identities by their schemas.
type rulebook struct {
	api   *api
	file  string // "" asks the API for every schema
	known map[string]*schema.Validator
}

func (b *rulebook) judge(ctx context.Context, body json.RawMessage) error {
	var sent struct {
		SchemaID string          `json:"schema_id"`
		Traits   json.RawMessage `json:"traits"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return err
	}
	rules, err := b.rules(ctx, sent.SchemaID)
	if err != nil {
		return err
	}
	err = rules.Validate(sent.Traits)
	if found := fault.As(err); found != nil && len(found.Fields) > 0 {
		return errors.New(schema.Report(found))
	}
	return err
}

func (b *rulebook) rules(ctx context.Context, id string) (*schema.Validator, error) {
	if known := b.known[id]; known != nil {
		return known, nil
	}
	var raw []byte
	var err error
	switch {
	case b.file != "":
		raw, err = os.ReadFile(b.file)
	case id == "":
		err = errors.New("names no schema_id: name its schema with --schema")
	default:
		raw, err = b.api.schema(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	rules, err := compile(ctx, id, raw)
	if err == nil {
		b.known[id] = rules
	}
	return rules, err
}

// schema reads a schema of the API. The admin API sends on to the public one,
// which needs no signature.
func (a *api) schema(ctx context.Context, id string) (json.RawMessage, error) {
	raw, err := a.get(ctx, "/schemas/"+element(id), nil)
	if elsewhere, refused := errors.AsType[*refusal](err); refused && elsewhere.location != nil {
		raw, err = newAPI(elsewhere.location, http.DefaultTransport).get(ctx, "", nil)
	}
	if err != nil {
		return nil, fmt.Errorf("read the schema %q: %w", id, err)
	}
	return raw, nil
}
