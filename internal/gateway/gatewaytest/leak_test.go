package gatewaytest_test

import (
	"strings"
	"testing"

	"styx/internal/gateway/gatewaytest"
)

func TestLeftNamesWhoStayed(t *testing.T) {
	watched := gatewaytest.Watch()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-stop
	}()
	left := watched.Left()
	if len(left) != 1 || !strings.Contains(left[0], "TestLeftNamesWhoStayed") {
		t.Errorf("got %d: %q", len(left), left)
	}
	close(stop)
	<-done
	if left := watched.Left(); len(left) != 0 {
		t.Errorf("after it went: %q", left)
	}
}
