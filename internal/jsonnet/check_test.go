package jsonnet

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for source, want := range map[string]string{
		`function(ctx) { email: ctx.identity.traits.email, at: std.length("x") }`: "",
		`error "never run"`: "",
		`{ a: `:             "program:1",
		`{ a: unknown }`:    "unknown",
		"local a = 1;\nfunction(ctx) { b: if a == 1 then import 'c.libsonnet' }": "program:2:35-55: imports are not allowed",
		`importstr "/etc/passwd"`:            "imports are not allowed",
		`"` + strings.Repeat("x", maxSource): "too large",
	} {
		if err := Check([]byte(source)); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60s: %v", source, err)
		}
	}
}
