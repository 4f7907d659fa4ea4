package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
)

// The addresses next to a block's ends are there to show that the block ends.
var addresses = map[string]reach{
	"1.1.1.1": public, "8.8.8.8": public, "9.255.255.255": public, "11.0.0.0": public,
	"100.63.255.255": public, "100.128.0.0": public, "126.255.255.255": public, "128.0.0.0": public,
	"169.253.255.255": public, "169.255.0.0": public, "172.15.255.255": public, "172.32.0.0": public,
	"192.167.255.255": public, "192.169.0.0": public, "198.17.255.255": public, "198.20.0.0": public,
	"223.255.255.255": public,

	"10.0.0.0": private, "10.255.255.255": private, "172.16.0.0": private, "172.31.255.255": private,
	"192.168.0.1": private, "100.64.0.0": private, "100.127.255.255": private, "192.0.0.1": private,
	"192.0.2.1": private, "192.88.99.1": private, "198.18.0.1": private, "198.51.100.1": private,
	"203.0.113.1": private, "224.0.0.1": private, "239.255.255.255": private, "240.0.0.1": private,
	"255.255.255.255": private,

	"127.0.0.1": inside, "127.255.255.255": inside, "0.0.0.0": inside, "0.1.2.3": inside,
	"169.254.0.0": inside, "169.254.169.254": inside, "169.254.170.2": inside, "169.254.100.1": inside,

	"2606:4700:4700::1111": public, "2a00:1450:4001::1": public, "2001:4860:4860::8888": public,
	"::ffff:8.8.8.8": public, // the same address as 8.8.8.8

	"fc00::1": private, "fdff::1": private, "fec0::1": private, "ff02::1": private, "100::1": private,
	"2001:db8::1": private, "2001::1": private, "3fff::1": private, "4000::1": private,
	"64:ff9b::808:808": private, "64:ff9b:1::808:808": private, "2002:808:808::1": private,
	"::8.8.8.8": private, "::ffff:0:8.8.8.8": private, "::ffff:10.0.0.1": private,
	"64:ff9b::10.0.0.1": private, "2002:a00:1::": private,

	"::": inside, "::1": inside, "fe80::1": inside, "fe80::1%eth0": inside, "febf::1": inside,
	"fd00:ec2::254": inside, "::ffff:127.0.0.1": inside, "::ffff:169.254.169.254": inside,
	"::ffff:0.0.0.0": inside, "::127.0.0.1": inside, "::ffff:0:127.0.0.1": inside,
	"64:ff9b::7f00:1": inside, "64:ff9b::169.254.169.254": inside, "64:ff9b:1::127.0.0.1": inside,
	"2002:7f00:1::": inside, "2002:a9fe:a9fe::1": inside,
}

func TestReachOfAddresses(t *testing.T) {
	for addr, want := range addresses {
		if got := reachOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("reachOf(%s) = %d, want %d", addr, got, want)
		}
	}
}

func TestPolicyAdmits(t *testing.T) {
	for name, row := range map[string]struct {
		policy   Policy
		excepted bool
		farthest reach // what is admitted
	}{
		"server":                          {Policy{}, false, public},
		"server, private allowed":         {Policy{AllowPrivate: true}, false, inside},
		"server, exception":               {Policy{}, true, inside},
		"function":                        {Policy{Lambda: true}, false, public},
		"function, private allowed":       {Policy{Lambda: true, AllowPrivate: true}, false, private},
		"function, exception":             {Policy{Lambda: true}, true, private},
		"function, exception and allowed": {Policy{Lambda: true, AllowPrivate: true}, true, private},
	} {
		g := newGuard(row.policy)
		ctx := context.WithValue(t.Context(), callKey{}, call{ctx: t.Context(), excepted: row.excepted})
		for addr, reach := range addresses {
			err := g.admit(ctx, "tcp", net.JoinHostPort(addr, "80"), nil)
			if admitted := err == nil; admitted != (reach <= row.farthest) {
				t.Errorf("%s: %s is admitted: %t", name, addr, admitted)
			}
			if err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %s: %v", name, addr, err)
			}
		}
		if err := g.admit(ctx, "tcp", "no address", nil); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: what is no address: %v", name, err)
		}
	}
}

func TestRuntimeAPIIsRefusedWhereverItIs(t *testing.T) {
	for _, api := range []string{"10.1.2.3:9001", "10.1.2.3", "[::ffff:10.1.2.3]:9001", "8.8.8.8:9001", "[fd12::1]:9001", "[fd12::1]"} {
		host, _, err := net.SplitHostPort(api)
		if err != nil {
			host = api
		}
		addr := runtimeAddr(host)
		if !addr.IsValid() {
			t.Fatalf("%s has no address", api)
		}
		g := newGuard(Policy{Lambda: true, AllowPrivate: true, RuntimeAPI: api})
		for _, port := range []string{"9001", "80"} {
			if err := g.admit(t.Context(), "tcp", net.JoinHostPort(addr.String(), port), nil); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: its port %s: %v", api, port, err)
			}
		}
		if err := g.admit(t.Context(), "tcp", "10.1.2.4:9001", nil); err != nil {
			t.Errorf("%s: its neighbour is refused: %v", api, err)
		}
	}
}

// No address that carries a worse one is better than it, in any spelling.
func FuzzReachOf(f *testing.F) {
	for addr := range addresses {
		f.Add(addr)
	}
	f.Fuzz(func(t *testing.T, s string) {
		addr, err := netip.ParseAddr(s)
		if err != nil {
			return
		}
		got := reachOf(addr)
		plain := addr.Unmap()
		bad := plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsUnspecified()
		if bad && got != inside {
			t.Fatalf("reachOf(%s) = %d", addr, got)
		}
		if (plain.IsPrivate() || plain.IsMulticast()) && got == public {
			t.Fatalf("reachOf(%s) = %d", addr, got)
		}
		if plain.Is4() {
			if mapped := reachOf(netip.AddrFrom16(plain.As16())); mapped != got {
				t.Fatalf("reachOf(%s) = %d, mapped %d", addr, got, mapped)
			}
		}
	})
}
