package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"styx/cmd/styx/cloud"
)

const (
	defaultEndpoint = "http://127.0.0.1:4434"
	// requestTime bounds one request. API Gateway gives up after 30 s; a local
	// server may hash two hundred passwords.
	requestTime = 2 * time.Minute
	// maxAnswer bounds an answer in bytes. Ours are below 5 MB; a page of another
	// Kratos has no such bound.
	maxAnswer = 64 << 20
	tries     = 5
	firstWait = 250 * time.Millisecond
	// maxSaid bounds how much is repeated of an answer that is no error of ours.
	maxSaid = 200
)

// account are the flags that name AWS credentials.
type account struct{ profile, region string }

func accountFlags(flags *flag.FlagSet) *account {
	a := new(account)
	flags.StringVar(&a.profile, "profile", "", "`NAME` of the AWS profile (default: the credentials at hand)")
	flags.StringVar(&a.region, "region", "", "AWS `REGION` (default: as the profile or the environment says)")
	return a
}

// target are the flags that name an admin API.
type target struct {
	*account

	endpoint string
	sign     bool
}

func targetFlags(flags *flag.FlagSet) *target {
	t := &target{account: accountFlags(flags)}
	const usage = "`URL` of the admin API (default: $STYX_ADMIN_URL or " + defaultEndpoint + ")"
	flags.StringVar(&t.endpoint, "endpoint", "", usage)
	flags.StringVar(&t.endpoint, "e", "", "`URL`, the same as --endpoint")
	flags.BoolVar(&t.sign, "sign", false, "sign requests although the host is no API Gateway")
	return t
}

// at returns the URL of the admin API.
func (t *target) at(c *call) (*url.URL, error) {
	endpoint := cmp.Or(t.endpoint, lookup(c.environ)("STYX_ADMIN_URL"), defaultEndpoint)
	base, err := url.Parse(strings.TrimSuffix(endpoint, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, misused("the endpoint %q is no http:// or https:// URL", endpoint)
	}
	return base, nil
}

// open returns a client of the admin API.
func (t *target) open(ctx context.Context, c *call) (*api, error) {
	base, err := t.at(c)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport
	if t.sign || cloud.IsGateway(base.Host) {
		if transport, err = cloud.Signer(ctx, t.profile, t.region, base.Host, transport); err != nil {
			return nil, err
		}
	}
	return newAPI(base, transport), nil
}

// remote makes the action of a command that speaks to the API: it declares the
// flags, wants arguments or none, and opens the API. Needs says what the arguments
// are, "" that there are none.
func remote(flags *flag.FlagSet, needs string, shown columns, do func(ctx context.Context, c *call, api *api, to printer) error) action {
	target, format := targetFlags(flags), formatFlag(flags)
	return func(ctx context.Context, c *call) error {
		err := c.none()
		if needs != "" {
			err = c.some(needs)
		}
		if err != nil {
			return err
		}
		api, err := target.open(ctx, c)
		if err != nil {
			return err
		}
		return do(ctx, c, api, printer{c.out, format.value, shown})
	}
}

// api is a client of an admin API.
type api struct {
	base    *url.URL
	client  *http.Client
	reached bool // it has answered before
}

func newAPI(base *url.URL, transport http.RoundTripper) *api {
	return &api{base: base, client: &http.Client{
		Transport: transport, Timeout: requestTime,
		// A redirect leads to another API, which is not meant.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// refusal is an answer of the API that is none.
type refusal struct {
	status   int
	reason   string
	location *url.URL // where it sends on to, nil for nowhere
}

func (r *refusal) Error() string { return r.reason }

// statusOf is the status of a refusal, 0 when the API was not reached.
func statusOf(err error) int {
	if r, refused := errors.AsType[*refusal](err); refused {
		return r.status
	}
	return 0
}

// do sends a request and reads its answer. What can be sent twice without harm
// (GET, PUT, DELETE, and what the caller vouches for) is tried again when the
// API is busy or out of reach.
func (a *api) do(ctx context.Context, method, path string, query url.Values, body any, harmless bool) (answer []byte, header http.Header, err error) {
	var raw []byte
	if body != nil {
		if raw, err = json.Marshal(body); err != nil {
			return nil, nil, fmt.Errorf("encode the request: %w", err)
		}
	}
	harmless = harmless || method == http.MethodGet || method == http.MethodPut || method == http.MethodDelete
	wait := firstWait
	for left := tries; ; left-- {
		answer, header, err = a.once(ctx, method, path, query, raw)
		if err == nil || !harmless || left == 1 || ctx.Err() != nil || !a.passing(err) {
			return answer, header, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, nil, err
		}
		wait *= 2
	}
}

func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// passing tells whether an error may be gone in a moment. An API that has not
// answered once is not there.
func (a *api) passing(err error) bool {
	status := statusOf(err)
	return busy(status) || status == 0 && a.reached && !errors.Is(err, errUnread)
}

func busy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// errUnread is an answer that can not be read, however often it is asked for.
var errUnread = errors.New("the answer is too large")

func (a *api) once(ctx context.Context, method, path string, query url.Values, body []byte) ([]byte, http.Header, error) {
	where := a.base.JoinPath(path)
	where.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, where.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "styx/"+versionText())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("the API does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	a.reached = true
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(answer) > maxAnswer {
		return nil, nil, errUnread
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		elsewhere, _ := resp.Location()
		return nil, nil, &refusal{resp.StatusCode, reason(resp, answer), elsewhere}
	}
	return answer, resp.Header, nil
}

// reason says why the API refuses, in its own words where it has some.
func reason(resp *http.Response, answer []byte) string {
	var body struct {
		Error struct{ Message, Reason string } `json:"error"`
		// API Gateway says so.
		Message string `json:"message"`
	}
	_ = json.Unmarshal(answer, &body) // it may be no JSON at all
	switch {
	case body.Error.Reason != "" || body.Error.Message != "":
		return legible(cmp.Or(body.Error.Reason, body.Error.Message))
	case resp.StatusCode < http.StatusBadRequest:
		return fmt.Sprintf("the API answers %s to %s: is this the admin API?", resp.Status, resp.Header.Get("Location"))
	case body.Message != "":
		return fmt.Sprintf("the API answers %s: %.*s", resp.Status, maxSaid, legible(body.Message))
	default:
		return "the API answers " + resp.Status
	}
}

// get reads a document.
func (a *api) get(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	answer, _, err := a.do(ctx, http.MethodGet, path, query, nil, false)
	return answer, err
}

// nextPage finds the token of the next page in a Link header (RFC 8288).
var nextPage = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// page reads one page of a list and returns its rows and the token of the page
// that follows, "" for none.
func (a *api) page(ctx context.Context, path string, query url.Values) (rows []json.RawMessage, next string, err error) {
	answer, header, err := a.do(ctx, http.MethodGet, path, query, nil, false)
	if err != nil {
		return nil, "", err
	}
	if err := json.Unmarshal(answer, &rows); err != nil {
		return nil, "", fmt.Errorf("the answer is no list: %w", err)
	}
	if found := nextPage.FindStringSubmatch(strings.Join(header.Values("Link"), ",")); found != nil {
		link, err := url.Parse(found[1])
		if err != nil {
			return nil, "", fmt.Errorf("read the link to the next page: %w", err)
		}
		next = link.Query().Get("page_token")
	}
	return rows, next, nil
}

// walk hands over the rows of a list, page after page, from the query's
// page_token on. It holds one page at a time.
func (a *api) walk(ctx context.Context, path string, query url.Values, each func(rows []json.RawMessage, next string) error) error {
	for {
		rows, next, err := a.page(ctx, path, query)
		if err == nil {
			err = each(rows, next)
		}
		if err != nil || next == "" {
			return err
		}
		query.Set("page_token", next)
	}
}
