package password

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the service's protocol, not a protection of ours
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"styx/internal/outbound"
)

const (
	// breachConnect is how long the service may take to accept a connection.
	breachConnect = time.Second
	// breachBudget is how long a whole check may take.
	breachBudget = 3 * time.Second
	// maxRange bounds an answer; a padded one has some 100 kB.
	maxRange = 1 << 20
)

var (
	// errBreachService says that the service cannot be asked: it is not there,
	// too slow, or talks nonsense. It names neither the host nor the password.
	errBreachService = errors.New("the breached-password service does not answer")
	// errRange says that an answer is not a list of hash suffixes.
	errRange = errors.New("not a range of password hashes")
)

// breaches asks a haveibeenpwned service how often a password has been seen in
// breaches, by k-anonymity: of the password only the first five hex digits of
// its SHA-1 leave this process, which some thousand breached passwords share.
//
// Nothing is kept between two checks. One range in a million answers one
// password in a million, so a cache would serve the same person's second attempt
// and nobody else, and for that it would keep a trace of a password in memory.
type breaches struct {
	client              *http.Client
	base                string // scheme and host
	maxBreaches         int
	ignoreNetworkErrors bool
}

// newBreaches returns the check against host, which may carry a scheme; https is
// understood. Up to maxBreaches sightings are tolerated.
func newBreaches(client *http.Client, host string, maxBreaches int, ignoreNetworkErrors bool) *breaches {
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	return &breaches{client, strings.TrimSuffix(host, "/"), maxBreaches, ignoreNetworkErrors}
}

// breached says whether the password has been seen more often than is tolerated.
// Errors are those of check.
func (b *breaches) breached(ctx context.Context, password string) (bool, error) {
	count, err := b.check(ctx, password)
	return count > b.maxBreaches, err
}

// check returns how often the password has been seen. When the service cannot be
// asked it answers 0 or, unless network errors are ignored, errBreachService.
// When it is ctx that ended, the error is ctx's in either case.
func (b *breaches) check(ctx context.Context, password string) (int, error) {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // see the import
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))

	count, err := b.ask(ctx, digest[:5], digest[5:])
	switch {
	case err == nil:
		return count, nil
	case ctx.Err() != nil:
		return 0, fmt.Errorf("check for breaches: %w", ctx.Err())
	case b.ignoreNetworkErrors:
		return 0, nil
	}
	return 0, fmt.Errorf("%w: %w", errBreachService, err)
}

// ask fetches the range of prefix and looks suffix up in it.
func (b *breaches) ask(ctx context.Context, prefix, suffix string) (int, error) {
	ctx, done := outbound.WithBudget(ctx, outbound.Reserve)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, breachBudget)
	defer cancel()
	ctx, stop := connectWithin(ctx, breachConnect)
	defer stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/range/"+prefix, nil)
	if err != nil {
		return 0, errors.New("its address is no URL")
	}
	req.Header.Set("Add-Padding", "true") // so that the length of the answer tells no prefix
	req.Header.Set("User-Agent", "styx")
	resp, err := outbound.Do(b.client, req) //nolint:bodyclose // ReadAll closes it
	if err != nil {
		if named, ok := errors.AsType[*url.Error](err); ok {
			err = named.Err // the URL ends in the prefix
		}
		return 0, err
	}
	body, err := outbound.ReadAll(resp, maxRange)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("it answered %d", resp.StatusCode)
	}
	return sightings(body, suffix)
}

// connectWithin returns a context that ends if no connection stands within d.
func connectWithin(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(d, func() { cancel(context.DeadlineExceeded) })
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { timer.Stop() },
	})
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// sightings looks a suffix (35 hex digits in upper case) up in an answer of lines
//
//	0018A45C4D1DEF81644B54AB7F969B88D65:21
//
// in either case, with either line ending. Padding lines have the count 0. A
// line that is none is passed over; an answer of nothing else is errRange, so
// that a proxy's page does not pass for "never seen". A count too large for an
// int is the largest int.
func sightings(body []byte, suffix string) (int, error) {
	found, lines, read := 0, 0, 0
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		lines++
		got, digits, ok := strings.Cut(string(line), ":")
		if !ok || !isSuffix(got) {
			continue
		}
		count, err := strconv.ParseUint(digits, 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			continue
		}
		read++
		if strings.EqualFold(got, suffix) {
			found = max(found, int(min(count, math.MaxInt)))
		}
	}
	if lines > 0 && read == 0 {
		return 0, errRange
	}
	return found, nil
}

// isSuffix says whether s is the 35 hex digits that follow a prefix.
func isSuffix(s string) bool {
	return len(s) == 2*sha1.Size-5 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
