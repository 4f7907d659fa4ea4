package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// standing is what make local-up ends with.
const standing = `
The stack styx-emulated is deployed, and stands where styx serve would:

  public API  http://127.0.0.1:4433    (built-in pages: http://127.0.0.1:4433/ui/registration)
  admin API   http://127.0.0.1:4434    (signed on the way)
  inbox       %[1]s/_ministack/ses/messages
  AWS         %[1]s    (AWS_ENDPOINT_URL; region us-east-1, key and secret "test")

Sign somebody up, as in README.md's walk-through, and see who is there and what was sent:

  ACTION=$(curl -s http://127.0.0.1:4433/self-service/registration/api | grep -o '"action":"[^"]*"' | cut -d'"' -f4)
  curl -s "$ACTION" --json '{"method": "password", "password": "lantern tide orbit maple", "traits": {"email": "ann@example.com"}}'
  make styx && bin/styx identities list && bin/styx courier list

make local-down stops it; what it held is gone.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "emulated:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("up, down or front?")
	}
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	switch arguments[0] {
	case "up":
		configuration := flags.String("config", "localstack/deploy", "the `FOLDER` that goes into the zips")
		base := flags.String("base-url", "http://127.0.0.1:4433/", "where browsers reach the public API")
		stand := flags.Bool("stand", false, "stand at the ports of styx serve for the two APIs, signing what goes to the admin API")
		if err := flags.Parse(arguments[1:]); err != nil {
			return err
		}
		return up(ctx, *configuration, *base, *stand)
	case "down":
		d, err := running(kept)
		if err != nil {
			return err
		}
		return d.down()
	case "front":
		in := flags.String("in", kept, "the `FOLDER` in which the deployment is kept")
		configuration := flags.String("c", "", "the configuration `FILE` to deploy")
		previous := flags.String("previous", "", "the `FOLDER` with the zips of another release, which answers every second request")
		if err := flags.Parse(arguments[1:]); err != nil {
			return err
		}
		d, err := running(*in)
		if err != nil {
			return err
		}
		return d.front(ctx, *configuration, *previous)
	}
	return fmt.Errorf("%s: up, down or front?", arguments[0])
}

// down ends what runs and waits for it.
func (d *deployment) down() error {
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if err := syscall.Kill(d.PID, syscall.SIGTERM); errors.Is(err, syscall.ESRCH) {
			return os.RemoveAll(d.file())
		} else if err != nil {
			return fmt.Errorf("end process %d: %w", d.PID, err)
		}
	}
	return fmt.Errorf("process %d does not end", d.PID)
}

// up deploys and runs until ctx ends.
func up(ctx context.Context, configuration, base string, stand bool) error {
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	endpoint, wait, err := startEmulator(ctx)
	defer wait()
	defer end()
	if err != nil {
		return err
	}
	d, err := deploy(ctx, endpoint, base, configuration, stand)
	if err != nil {
		return err
	}
	if err := d.save(); err != nil {
		return err
	}
	defer func() { _ = os.Remove(d.file()) }() // nothing runs any more
	if stand {
		fmt.Printf(standing, d.Endpoint)
		return d.stand(ctx)
	}
	fmt.Printf("AWS %s, public API %s, admin API %s\n", d.Endpoint, d.Public, d.Admin)
	<-ctx.Done()
	return nil
}
