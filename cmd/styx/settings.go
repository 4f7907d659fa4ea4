package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"styx/cmd/styx/cloud"
	"styx/internal/config"
)

func settingsCommand() *command {
	return &command{
		name: "settings", does: "keep the secrets of a configuration apart from it",
		examples: []string{"styx settings put --secret ARN dist/secret-settings.json"},
		parts:    []*command{settingsPut()},
	}
}

func settingsPut() *command {
	return &command{
		name: "put", takes: "FILE", does: "bring them to a deployment on AWS",
		about: `Puts the file that a build wrote beside the zips into the secret that the
functions read, in place of what was there; make deploy does so too. A function
that runs has them within fifteen minutes.`,
		examples: []string{"styx settings put --secret arn:aws:secretsmanager:eu-central-1:111122223333:secret:styx dist/secret-settings.json"},
		prepare: func(flags *flag.FlagSet) action {
			profile := flags.String("profile", "", "`NAME` of the AWS profile")
			region := flags.String("region", "", "`NAME` of the AWS region; an ARN has one")
			secret := flags.String("secret", "", "`ARN` or name of the secret, output SecretSettingsArn of the stack")
			return func(ctx context.Context, c *call) error {
				if len(c.args) != 1 || *secret == "" {
					return misused("name the secret with --secret, and the file")
				}
				text, err := os.ReadFile(c.args[0])
				if err != nil {
					return fmt.Errorf("read settings: %w", err)
				}
				values, err := config.Apart(string(text))
				if err != nil {
					return err
				}
				if len(values) == 0 {
					return errors.New("the file has no settings")
				}
				if err := cloud.Keep(ctx, *profile, *region, *secret, string(text)); err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.out, "%d secret settings are in %s\n", len(values), *secret)
				return err
			}
		},
	}
}
