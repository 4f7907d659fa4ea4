//go:build dynamodb

package lambda_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// filters are the metric filters of the deployed stack: by the metric's name,
// the members that a line of the log must have to count.
func filters(t *testing.T) map[string]map[string]string {
	t.Helper()
	data, err := os.ReadFile("../../infra/testdata/stack.json")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				FilterPattern         string
				MetricTransformations []struct{ MetricName string }
			}
		}
	}
	if err := json.Unmarshal(data, &template); err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`^\{ \(\$\.\w+ = "\w+"\)( && \(\$\.\w+ = "\w+"\))* \}$`)
	condition := regexp.MustCompile(`\$\.(\w+) = "(\w+)"`)
	all := map[string]map[string]string{}
	for id, resource := range template.Resources {
		if resource.Type != "AWS::Logs::MetricFilter" {
			continue
		}
		pattern := resource.Properties.FilterPattern
		if !whole.MatchString(pattern) {
			t.Fatalf("%s: this test does not read %s", id, pattern)
		}
		members := map[string]string{}
		for _, found := range condition.FindAllStringSubmatch(pattern, -1) {
			members[found[1]] = found[2]
		}
		all[resource.Properties.MetricTransformations[0].MetricName] = members
	}
	return all
}

// counted is how many lines of the functions' logs each filter counts. In
// Lambda's JSON format a line that is JSON goes to CloudWatch as it is.
func counted(t *testing.T, s *stack) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for name, function := range s.functions {
		for line := range strings.Lines(function.Log()) {
			var members map[string]any
			if err := json.Unmarshal([]byte(line), &members); err != nil {
				t.Errorf("%s logs a line that is not JSON: %s", name, line)
				continue
			}
			for metric, want := range filters(t) {
				if matches(members, want) {
					counts[metric]++
				}
			}
		}
	}
	return counts
}

func matches(members map[string]any, want map[string]string) bool {
	for member, value := range want {
		if fmt.Sprint(members[member]) != value {
			return false
		}
	}
	return true
}

// TestTheStacksMetricsCountWhatHappens signs up, in, and fails to, and looks
// what the alarms and the dashboard of the deployed stack would see of it.
func TestTheStacksMetricsCountWhatHappens(t *testing.T) {
	s := deployment{}.deploy(t)
	public := &http.Client{Transport: s.public}
	if err := journey(public, "counted@example.com"); err != nil {
		t.Fatal(err)
	}
	before := counted(t, s)
	if before["Logins"] == 0 || before["Registrations"] != 1 || before["Busy"] != 0 {
		t.Errorf("a sign-up and logins count as %v", before)
	}
	if _, err := signIn(public, "counted@example.com", "not the password"); err == nil {
		t.Fatal("signed in by a wrong password")
	}
	want := maps.Clone(before)
	want["LoginFailures"]++
	if got := counted(t, s); !maps.Equal(got, want) {
		t.Errorf("then a wrong password: %v, want %v", got, want)
	}
}
