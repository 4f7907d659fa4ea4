package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// strangers compares how long a refused login takes, for whoever it names. It
// is printed and not tested: a test compares the work that was counted.
func (b *bench) strangers(ctx context.Context) error {
	for _, how := range []struct {
		hash  hash
		times int // below the cap of attempts on one identifier
	}{{cheap, 90}, {sound, 30}} {
		if err := b.refusals(ctx, how.hash, how.times); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) refusals(ctx context.Context, h hash, times int) error {
	server, err := b.serve(ctx, h, "memory")
	if err != nil {
		return err
	}
	defer server.stop()
	if err := server.settle(ctx, 1); err != nil {
		return err
	}
	bare, err := server.post(ctx, server.admin+"/admin/identities", map[string]any{"schema_id": "person", "traits": traits("bare@example.com")})
	if err != nil {
		return err
	}
	if _, err := server.succeed(bare); err != nil {
		return err
	}
	whose := []struct{ name, email string }{
		{"known, wrong password", server.people[0].email},
		{"known, has no password", "bare@example.com"},
		{"unknown", "nobody@example.com"},
	}
	took := make([][]time.Duration, len(whose))
	// In turn, so that whatever disturbs the machine disturbs all alike.
	for range times {
		for i, one := range whose {
			r, err := server.login(ctx, one.email, wrongPassword)
			if err != nil {
				return err
			}
			sent := time.Now()
			status, body, err := server.do(r)
			if err == nil && status != http.StatusBadRequest {
				err = fmt.Errorf("login of %s: status %d\n%s", one.name, status, body)
			}
			if err != nil {
				return err
			}
			took[i] = append(took[i], time.Since(sent))
		}
	}
	fmt.Printf("\nRefused logins, password hash: %s (%d of each, in turn; ms)\n\n", h.name, times)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "account\tmin\tp10\tmedian\tp90\tmedian to the first's\t")
	for i, times := range took {
		slices.Sort(times)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%+.1f %%\t\n", whose[i].name, ms(times[0]), ms(at(times, 10)), ms(at(times, 50)), ms(at(times, 90)),
			100*(float64(at(times, 50))/float64(at(took[0], 50))-1))
	}
	return table.Flush()
}
