package sqs

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func getenv(set map[string]string) func(string) string {
	return func(name string) string { return set[name] }
}

func TestOptions(t *testing.T) {
	full := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
	for name, row := range map[string]struct {
		url string
		set map[string]string
		ok  bool
	}{
		"complete":       {"https://queue", full, true},
		"no queue":       {"", full, false},
		"no region":      {"https://queue", map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}, false},
		"no credentials": {"https://queue", map[string]string{"AWS_REGION": "eu-west-1"}, false},
	} {
		if _, err := New(Options{URL: row.url, Getenv: getenv(row.set)}); (err == nil) != row.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSeconds(t *testing.T) {
	for wait, want := range map[time.Duration]int32{
		-time.Second: 0, 0: 0, time.Millisecond: 1, time.Second: 1, 4100 * time.Millisecond: 5,
		15 * time.Minute: 900, time.Hour: 900,
	} {
		if got := seconds(wait); got != want {
			t.Errorf("%v is %d seconds, want %d", wait, got, want)
		}
	}
}

// TestRequest looks at what goes out, and at an answer that is none.
func TestRequest(t *testing.T) {
	var asked struct {
		QueueURL     string `json:"QueueUrl"`
		MessageBody  string
		DelaySeconds int
	}
	answer := http.StatusOK
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		w.WriteHeader(answer)
		_, _ = w.Write([]byte(`{"MessageId":"m","MD5OfMessageBody":"8bae7cfc1d80927fe22506cfcf8d5b8c"}`))
	}))
	defer api.Close()
	q, err := New(Options{URL: "https://queue.example/q", HTTPClient: api.Client(), Getenv: getenv(map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_ENDPOINT_URL": api.URL,
	})})
	if err != nil {
		t.Fatal(err)
	}
	err = q.Put(t.Context(), "0198", 20*time.Second)
	if asked.QueueURL != "https://queue.example/q" || asked.MessageBody != "0198" || asked.DelaySeconds != 20 {
		t.Errorf("asked %+v: %v", asked, err)
	}
	if err != nil {
		t.Error(err)
	}
	answer = http.StatusForbidden
	if err := q.Put(t.Context(), "0198", 0); err == nil {
		t.Error("a refusal was taken for a yes")
	}
}
