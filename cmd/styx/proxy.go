package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"

	"styx/cmd/styx/cloud"
)

const defaultProxy = "127.0.0.1:4434"

func proxyCommand() *command {
	return &command{
		name: "proxy", does: "sign for clients that can not: an admin API on this machine in front of the deployed one",
		about: `Ory's SDKs and command line know no AWS signatures. The proxy listens on a
loopback address and hands on every request, signed with the AWS credentials at
hand: whoever can reach it on this machine has what those credentials may do.
Requests of web pages are refused.`,
		examples: []string{
			"styx proxy --endpoint https://abc.execute-api.eu-central-1.amazonaws.com",
			"kratos --endpoint http://127.0.0.1:4434 identities list",
		},
		prepare: func(flags *flag.FlagSet) action {
			target := targetFlags(flags)
			address := flags.String("listen", defaultProxy, "loopback `ADDRESS` to listen on")
			return func(ctx context.Context, c *call) error {
				if err := c.none(); err != nil {
					return err
				}
				if target.endpoint == "" && lookup(c.environ)("STYX_ADMIN_URL") == "" {
					return misused("name the deployed admin API with --endpoint")
				}
				base, err := target.at(c)
				if err != nil {
					return err
				}
				if at, err := netip.ParseAddrPort(*address); err != nil || !at.Addr().IsLoopback() {
					return misused("%s is no loopback address such as %s", *address, defaultProxy)
				}
				signer, err := cloud.Signer(ctx, target.profile, target.region, base.Host, http.DefaultTransport)
				if err != nil {
					return err
				}
				return serveProxy(ctx, c, *address, base, signer)
			}
		},
	}
}

func serveProxy(ctx context.Context, c *call, address string, base *url.URL, signer http.RoundTripper) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	log := slog.New(slog.NewTextHandler(c.errs, nil))
	server := newServer(withoutPages(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(base) },
		Transport: signer,
		ErrorLog:  slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.WarnContext(ctx, "not handed on", slog.String("error", err.Error()))
			http.Error(w, "styx proxy: "+err.Error(), http.StatusBadGateway)
		},
	}), log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	_, _ = fmt.Fprintf(c.out, "http://%s stands for %s\n", listener.Addr(), base)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(ending); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// withoutPages lets only programs of this machine through. A web page that somebody has
// open here could otherwise spend their AWS credentials: the browser names its
// origin, or a host that only looks like another one (DNS rebinding).
func withoutPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		if !isLoopback(r.Host) || r.Header.Get("Origin") != "" || site != "" && site != "none" {
			http.Error(w, "styx proxy: not for web pages", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	at, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && at.IsLoopback()
}
