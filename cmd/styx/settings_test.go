package main

import (
	"strings"
	"testing"
)

func TestSettingsAreRefusedWithoutTellingThem(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:styx"
	settings := file(t, `{"courier.smtp.connection_uri": "smtps://us:hunter2@mail.example.org"}`)
	aws(t, healthy()) // which has no secret
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no secret named", []string{settings}, 2, "--secret"},
		{"no file named", []string{"--secret", arn}, 2, "the file"},
		{"a file that is not there", []string{"--secret", arn, settings + ".not"}, 1, "no such file"},
		{"a file of something else", []string{"--secret", arn, file(t, `["hunter2"]`)}, 1, "must be a JSON object"},
		{"a file without any", []string{"--secret", arn, file(t, `{}`)}, 1, "has no settings"},
		{"an ARN of something else", []string{"--secret", "arn:aws:sns:eu-central-1:111122223333:styx", settings}, 1, "not the ARN of a secret"},
		{"a name without a region", []string{"--secret", "styx", settings}, 1, "--region"},
		{"a secret that is not there", []string{"--secret", arn, settings}, 1, "ResourceNotFoundException: it is not there"},
	} {
		code, out, errs := ended(t, nil, append([]string{"settings", "put"}, row.args...)...)
		if code != row.code || !strings.Contains(errs, row.says) || strings.Contains(out+errs, "hunter2") {
			t.Errorf("%s: %d, %s%s", row.name, code, out, errs)
		}
	}
}
