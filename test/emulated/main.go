package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

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
		return syscall.Kill(d.PID, syscall.SIGTERM)
	case "front":
		in := flags.String("in", kept, "the `FOLDER` in which the deployment is kept")
		configuration := flags.String("c", "", "the configuration `FILE` to deploy; none for the one that is")
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

// up deploys and runs until ctx ends.
func up(ctx context.Context, configuration, base string, stand bool) error {
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return err
	}
	endpoint, wait, err := startEmulator(ctx)
	if err != nil {
		return err
	}
	defer wait()
	d, err := deploy(ctx, endpoint, base, configuration)
	if err != nil {
		return err
	}
	if err := d.save(); err != nil {
		return err
	}
	defer func() { _ = os.Remove(d.file()) }() // nothing runs any more
	fmt.Printf("AWS         %s\npublic API  http://%s\nadmin API   http://%s\nmail        %s/_ministack/ses/messages\n",
		d.Endpoint, d.Public, d.Admin, d.Endpoint)
	if stand {
		fmt.Println("and at      http://127.0.0.1:4433, http://127.0.0.1:4434")
		return d.stand(ctx)
	}
	<-ctx.Done()
	return nil
}
