package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"styx/cmd/styx/cloud"
)

// front gives the deployed functions a configuration and stands on the ports it
// names, as `styx serve --dev` does, until ctx ends. Requests of the admin API
// are signed on the way.
func (d *deployment) front(ctx context.Context, configuration, previous string) error {
	c, err := readConfiguration(configuration)
	if err != nil {
		return err
	}
	public, admin := c.address("public"), c.address("admin")
	files, err := c.forAWS(ctx)
	if err != nil {
		return err
	}
	base, ok := c.section("serve", "public")["base_url"].(string)
	if !ok {
		return fmt.Errorf("%s has no serve.public.base_url", configuration)
	}
	if err := d.update(ctx, d.zips(), files, base); err != nil {
		return err
	}
	toAdmin, err := d.signer(ctx)
	if err != nil {
		return err
	}
	var toPublic http.RoundTripper = d.dialer()
	if previous != "" {
		names, err := d.previous(ctx, previous, files)
		if err != nil {
			return err
		}
		client := lambda.NewFromConfig(d.config())
		toPublic = &sideBySide{current: toPublic, client: client, names: names, owner: newOwners().function}
		toAdmin = &sideBySide{
			current: toAdmin, client: client, names: names, admin: true,
			owner: func(*http.Request) string { return "admin" },
		}
	}
	return serve(ctx, map[string]http.Handler{
		public: d.proxy(d.Public, toPublic),
		admin:  d.proxy(d.Admin, &postbox{d, toAdmin}),
	})
}

// stand answers for the two APIs where styx serve would, until ctx ends.
func (d *deployment) stand(ctx context.Context) error {
	toAdmin, err := d.signer(ctx)
	if err != nil {
		return err
	}
	return serve(ctx, map[string]http.Handler{
		"127.0.0.1:4433": d.proxy(d.Public, d.dialer()),
		"127.0.0.1:4434": d.proxy(d.Admin, toAdmin),
	})
}

// signer signs requests for the admin API as the account's root.
func (d *deployment) signer(ctx context.Context) (http.RoundTripper, error) {
	for _, one := range rootEnvironment(d.Endpoint) {
		name, value, _ := strings.Cut(one, "=")
		if err := os.Setenv(name, value); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
	}
	return cloud.Signer(ctx, "", region, d.Admin, d.dialer())
}

// dialer reaches the emulator whatever the name of an API is.
func (d *deployment) dialer() *http.Transport {
	return &http.Transport{
		MaxIdleConnsPerHost: 64, DisableCompression: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, hostOf(d.Endpoint))
		},
	}
}

// proxy hands requests to the API at host.
func (d *deployment) proxy(host string, by http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: host})
			r.Out.Host = host
		},
		Transport: by,
	}
}

// serve answers on each address until ctx ends.
func serve(ctx context.Context, by map[string]http.Handler) error {
	failed := make(chan error, len(by))
	for address, handler := range by {
		server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: time.Minute}
		defer func() { _ = server.Close() }()
		go func() { failed <- server.ListenAndServe() }()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}
