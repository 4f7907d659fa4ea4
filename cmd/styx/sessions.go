package main

import (
	"context"
	"flag"
	"net/http"
	"net/url"
	"slices"
)

const sessionsPath = "/admin/sessions"

var sessionColumns = columns{
	{"ID", []string{"id"}},
	{"ACTIVE", []string{"active"}},
	{"AAL", []string{"authenticator_assurance_level"}},
	{"IDENTITY", []string{"identity.id"}},
	{"ISSUED", []string{"issued_at"}},
	{"EXPIRES", []string{"expires_at"}},
}

func sessionsCommand() *command {
	return &command{
		name: "sessions", does: "read and end sessions",
		examples: []string{"styx sessions list --active true", "styx sessions revoke --identity 9f425a8d-7efc-4768-8f23-7647a74fdf13"},
		parts:    []*command{sessionsList(), sessionsGet(), sessionsRevoke(), sessionsExtend()},
	}
}

func expandFlag(flags *flag.FlagSet) *list {
	expand := new(list)
	flags.Var(expand, "expand", "show `MORE` of a session, identity or devices; may be repeated")
	return expand
}

func sessionsList() *command {
	return &command{
		name: "list", does: "list sessions, the newest first",
		examples: []string{
			"styx sessions list --active true --expand identity --format json",
			"styx sessions list --identity 9f425a8d-7efc-4768-8f23-7647a74fdf13",
		},
		prepare: func(flags *flag.FlagSet) action {
			paging, expand := pagingFlags(flags), expandFlag(flags)
			active := choose(flags, "active", "only those that are, or are not, `ACTIVE`", "", "true", "false")
			of := flags.String("identity", "", "only those of the identity of this `ID`")
			return remote(flags, "", sessionColumns, func(ctx context.Context, _ *call, api *api, to printer) error {
				query, path := url.Values{"expand": *expand}, sessionsPath
				if active.value != "" {
					query.Set("active", active.value)
				}
				if *of != "" {
					path = identitiesPath + "/" + element(*of) + "/sessions"
				} else if len(*expand) == 0 && to.format == "table" {
					query.Set("expand", "identity") // the table names it
				}
				return paging.print(ctx, api, to, "sessions", path, query)
			})
		},
	}
}

func sessionsGet() *command {
	return &command{
		name: "get", takes: "ID...", does: "show sessions",
		examples: []string{"styx sessions get 7d5ee8c3-8ad5-4b5b-a1e2-2a7a8f0a5b1c --expand identity --expand devices --format yaml"},
		prepare: func(flags *flag.FlagSet) action {
			expand := expandFlag(flags)
			return remote(flags, "the id of a session", sessionColumns, func(ctx context.Context, c *call, api *api, to printer) error {
				if len(*expand) == 0 && to.format == "table" {
					*expand = list{"identity"}
				}
				return show(ctx, c, api, to, "sessions", url.Values{"expand": *expand}, under(sessionsPath, c.args)...)
			})
		},
	}
}

// under are the paths of things by their ids.
func under(path string, ids []string) []string {
	paths := make([]string, len(ids))
	for at, id := range ids {
		paths[at] = path + "/" + element(id)
	}
	return paths
}

func sessionsRevoke() *command {
	return &command{
		name: "revoke", takes: "[ID...]", does: "end sessions",
		examples: []string{
			"styx sessions revoke 7d5ee8c3-8ad5-4b5b-a1e2-2a7a8f0a5b1c",
			"styx sessions revoke --identity 9f425a8d-7efc-4768-8f23-7647a74fdf13",
		},
		prepare: func(flags *flag.FlagSet) action {
			target, format := targetFlags(flags), formatFlag(flags)
			var of list
			flags.Var(&of, "identity", "end all sessions of the identity of this `ID`; may be repeated")
			return func(ctx context.Context, c *call) error {
				if len(c.args)+len(of) == 0 {
					return misused("needs the id of a session, or --identity")
				}
				api, err := target.open(ctx, c)
				if err != nil {
					return err
				}
				return apply(c, printer{to: c.out, format: format.value}, append(of, c.args...), func(id string) error {
					if slices.Contains(of, id) {
						body := map[string]any{"action": "disable", "identities": []string{id}}
						_, _, err := api.do(ctx, http.MethodPost, sessionsPath, nil, body, true)
						return err
					}
					_, _, err := api.do(ctx, http.MethodDelete, sessionsPath+"/"+element(id), nil, nil, false)
					return err
				})
			}
		},
	}
}

func sessionsExtend() *command {
	return &command{
		name: "extend", takes: "ID...", does: "let sessions begin their lifespan anew",
		about:    "A session that is not old enough yet (session.earliest_possible_extend) stays as it is.",
		examples: []string{"styx sessions extend 7d5ee8c3-8ad5-4b5b-a1e2-2a7a8f0a5b1c"},
		prepare: func(flags *flag.FlagSet) action {
			return remote(flags, "the id of a session", nil, func(ctx context.Context, c *call, api *api, to printer) error {
				return apply(c, to, c.args, func(id string) error {
					_, _, err := api.do(ctx, http.MethodPatch, sessionsPath+"/"+element(id)+"/extend", nil, nil, true)
					return err
				})
			})
		},
	}
}
