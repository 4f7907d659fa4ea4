package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// dump prints a Config as one line per field, secrets revealed, so that two
// configurations can be compared and read.
func dump(c *Config) string {
	var out strings.Builder
	dumpValue(&out, "", reflect.ValueOf(c).Elem())
	return out.String()
}

func dumpValue(out *strings.Builder, name string, v reflect.Value) {
	line := func(value any) { fmt.Fprintf(out, "%s = %v\n", name, value) }
	switch x := v.Interface().(type) {
	case Secret:
		line(x.Reveal())
		return
	case Hook:
		line(x.Name + " " + string(x.Config))
		if x.Name == HookWeb {
			dumpValue(out, name+".Web", reflect.ValueOf(x.Web()))
		}
		if x.Recipients() != "" {
			fmt.Fprintf(out, "%s.Recipients = %s\n", name, x.Recipients())
		}
		return
	case *url.URL:
		line(x)
		return
	case json.RawMessage:
		line(string(x))
		return
	case time.Duration, time.Time, slog.Level, netip.Prefix, DSN:
		line(x)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			below := name + "." + v.Type().Field(i).Name
			dumpValue(out, strings.TrimPrefix(below, "."), v.Field(i))
		}
	case reflect.Slice:
		if v.Len() == 0 {
			line("[]")
		}
		for i := range v.Len() {
			dumpValue(out, fmt.Sprintf("%s[%d]", name, i), v.Index(i))
		}
	case reflect.Map:
		if v.Len() == 0 {
			line("{}")
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			dumpValue(out, name+"["+k.String()+"]", v.MapIndex(k))
		}
	default:
		line(v.Interface())
	}
}
