package ses

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadReturn(t *testing.T) {
	const ours = `"mail":{"messageId":"x","tags":{"styx-message":["0198"],"ses:caller-identity":["styx"]}}`
	for name, row := range map[string]struct{ event, want string }{
		"bounce": {
			`{"eventType":"Bounce",` + ours + `,"bounce":{"bounceType":"Permanent","bounceSubType":"General",` +
				`"bouncedRecipients":[{"emailAddress":"ann@example.org","diagnosticCode":"smtp; 550 5.1.1 unknown"}]}}`,
			"Bounce: Permanent, General: smtp; 550 5.1.1 unknown",
		},
		"suppressed": {
			`{"eventType":"Bounce",` + ours + `,"bounce":{"bounceType":"Permanent","bounceSubType":"OnAccountSuppressionList","bouncedRecipients":[{}]}}`,
			"Bounce: Permanent, OnAccountSuppressionList",
		},
		"complaint by EventBridge": {
			`{"version":"0","detail-type":"Email Complaint Received","detail":{"eventType":"Complaint",` + ours + `,"complaint":{"complaintFeedbackType":"abuse"}}}`,
			"Complaint: abuse",
		},
		"rejection": {`{"eventType":"Reject",` + ours + `,"reject":{"reason":"Bad content"}}`, "Reject: Bad content"},
		"delivery":  {`{"eventType":"Delivery",` + ours + `}`, ""},
		"not ours":  {`{"eventType":"Bounce","mail":{"tags":{}},"bounce":{"bounceType":"Permanent"}}`, ""},
		"no JSON":   {`{"eventType":`, ""},
		"nothing":   {`null`, ""},
	} {
		got, ok := ReadReturn([]byte(row.event))
		if ok != (row.want != "") || got.What != row.want || ok && got.Message != "0198" {
			t.Errorf("%s: %+v, %v, want %q", name, got, ok, row.want)
		}
	}
}

// Whatever arrives, what is made of it can be stored.
func FuzzReadReturn(f *testing.F) {
	f.Add([]byte(`{"eventType":"Bounce","mail":{"tags":{"styx-message":["0198"]}},"bounce":{"bounceType":"é` + strings.Repeat("é", maxReport) + `"}}`))
	f.Add([]byte(`{"detail":{"detail":null}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, ok := ReadReturn(raw)
		if !ok && got != (Return{}) {
			t.Fatalf("half of a return: %+v", got)
		}
		if len(got.What) > maxReport || !utf8.ValidString(got.What) {
			t.Fatalf("%q can not be stored", got.What)
		}
	})
}
