package main

import (
	"context"
	"flag"
	"net/http"
	"net/url"
)

const messagesPath = "/admin/courier/messages"

var messageColumns = columns{
	{"ID", []string{"id"}},
	{"STATUS", []string{"status"}},
	{"TYPE", []string{"type"}},
	{"RECIPIENT", []string{"recipient"}},
	{"TEMPLATE", []string{"template_type"}},
	{"SENT", []string{"send_count"}},
	{"CREATED", []string{"created_at"}},
}

func courierCommand() *command {
	return &command{
		name: "courier", does: "look after the messages that are sent",
		examples: []string{"styx courier list --status abandoned", "styx courier retry 0197b0c0-5c4e-7c5e-8d3b-0a1b2c3d4e5f"},
		parts:    []*command{courierList(), courierGet(), courierRetry()},
	}
}

func courierList() *command {
	return &command{
		name: "list", does: "list messages, the newest first",
		examples: []string{"styx courier list --recipient ann@example.org", "styx courier list --status abandoned --all --format json"},
		prepare: func(flags *flag.FlagSet) action {
			paging := pagingFlags(flags)
			status := choose(flags, "status", "only those of this `STATUS`", "", "queued", "processing", "sent", "abandoned")
			recipient := flags.String("recipient", "", "only those to this `ADDRESS`")
			return remote(flags, "", messageColumns, func(ctx context.Context, _ *call, api *api, to printer) error {
				query := url.Values{}
				for name, value := range map[string]string{"status": status.value, "recipient": *recipient} {
					if value != "" {
						query.Set(name, value)
					}
				}
				return paging.print(ctx, api, to, "messages", messagesPath, query)
			})
		},
	}
}

func courierGet() *command {
	return &command{
		name: "get", takes: "ID...", does: "show messages, with what became of each try",
		examples: []string{"styx courier get 0197b0c0-5c4e-7c5e-8d3b-0a1b2c3d4e5f --format json"},
		prepare: func(flags *flag.FlagSet) action {
			return remote(flags, "the id of a message", messageColumns, func(ctx context.Context, c *call, api *api, to printer) error {
				return show(ctx, c, api, to, "messages", nil, under(messagesPath, c.args)...)
			})
		},
	}
}

func courierRetry() *command {
	return &command{
		name: "retry", takes: "ID...", does: "queue abandoned messages again, while what they say still holds",
		examples: []string{"styx courier retry 0197b0c0-5c4e-7c5e-8d3b-0a1b2c3d4e5f"},
		prepare: func(flags *flag.FlagSet) action {
			return remote(flags, "the id of a message", nil, func(ctx context.Context, c *call, api *api, to printer) error {
				return apply(c, to, c.args, func(id string) error {
					_, _, err := api.do(ctx, http.MethodPost, messagesPath+"/"+element(id)+"/retry", nil, nil, false)
					return err
				})
			})
		},
	}
}
