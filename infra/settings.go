package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"
)

// settings are what a build kept apart from the configuration. Which there are
// is the stack's concern, what they say is not: the deployment puts them into the
// secret, and a function reads it at its first event.
type settings struct {
	keys []string
	arn  *string // nil where there are none
}

// newSettings makes a secret for those that the build has left beside the zips.
func newSettings(stack awscdk.Stack, o options, key awskms.IKey) settings {
	s := settings{keys: o.SecretSettings}
	if len(s.keys) == 0 {
		return s
	}
	secret := awssecretsmanager.NewSecret(stack, jsii.String("SecretSettings"), &awssecretsmanager.SecretProps{
		Description:   jsii.String("Settings of Styx that are secret, by their keys; make deploy writes them"),
		EncryptionKey: key,
		// Nothing yet. What a deployment puts there, later ones leave.
		SecretStringValue: awscdk.SecretValue_UnsafePlainText(jsii.String("{}")),
		RemovalPolicy:     awscdk.RemovalPolicy_DESTROY,
	})
	output(stack, "SecretSettingsArn", "Where styx settings put brings the settings that are secret", secret.SecretArn())
	s.arn = secret.SecretArn()
	return s
}

// of tells whether a function has use for one of them: the courier sends by all
// of them, web hooks that nobody waits for among it; a session is made a token
// of; all else is what flows call out with.
func (s settings) of(f function) bool {
	return slices.ContainsFunc(s.keys, func(key string) bool {
		switch {
		case f.name == "courier":
			return true
		case strings.HasPrefix(key, "session."):
			return f.name == "session"
		case strings.HasPrefix(key, "courier."):
			return false
		}
		return slices.Contains([]string{"login", "registration", "settings", "recovery", "verification", "callback"}, f.name)
	})
}

// readSettings are the names of those in the folder of the zips, none where the
// build wrote no such file. The zip lists them too: where the file did not come
// along, the stack would take their secret away.
func (o options) readSettings() ([]string, error) {
	listed, err := o.listedSettings()
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(o.Zips, "secret-settings.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read secret settings: %w", err)
	}
	var values map[string]string
	if err == nil && json.Unmarshal(content, &values) != nil { // its error may quote one
		return nil, errors.New("secret-settings.json beside the zips is not what a build writes")
	}
	names := slices.Sorted(maps.Keys(values))
	if !slices.Equal(names, listed) {
		return nil, fmt.Errorf("secret-settings.json beside the zips is not of their build: it has %q, and they list %q", names, listed)
	}
	return names, nil
}

// listedSettings are the names that a zip lists. What is no zip lists none, and
// AWS refuses it.
func (o options) listedSettings() ([]string, error) {
	packed, err := zip.OpenReader(o.zip("courier"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, zip.ErrFormat) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read secret settings: %w", err)
	}
	defer func() { _ = packed.Close() }()
	content, err := fs.ReadFile(packed, "secret-settings.txt")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read secret settings: %w", err)
	}
	return strings.Fields(string(content)), nil
}
