// Package delivery builds the courier function, the one that sends.
package delivery

import (
	"context"
	"log/slog"

	"styx/internal/app"
	"styx/internal/app/mail"
	"styx/internal/app/programs"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/courier/ses"
	"styx/internal/courier/sqs"
	"styx/internal/courier/wake"
	"styx/internal/jsonnet"
)

// Courier builds the courier function. Mail goes by SES where the configuration
// names no server. STYX_COURIER_QUEUE is the URL of the queue for retries;
// without one, the sweep alone tries again.
func Courier(_ context.Context, getenv func(string) string, log *slog.Logger) (*wake.Handler, error) {
	jsonnet.Main() // the end of a process that was started to run a program
	a, err := app.Boot(getenv, app.Links{})
	if err != nil {
		return nil, err
	}
	c, err := mail.New(a, programs.New(a.Client), log, func(c config.SMTP) (courier.Send, error) {
		sender, err := ses.New(ses.Options{Config: c, Getenv: getenv})
		if err != nil {
			return nil, err
		}
		return sender.Send, nil
	})
	if err != nil {
		return nil, err
	}
	h := &wake.Handler{Courier: c, Remark: a.Engine.Store.Remark}
	if url := getenv("STYX_COURIER_QUEUE"); url != "" {
		queue, err := sqs.New(sqs.Options{URL: url, Getenv: getenv})
		if err != nil {
			return nil, err
		}
		h.Later = queue.Put
	}
	return h, nil
}
