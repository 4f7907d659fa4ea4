package outbound

import "net/netip"

// reach says how far an address is from this process.
type reach int

const (
	public  reach = iota
	private       // reachable from here and not from everywhere, or not a host at all
	inside        // this very machine, or what only machines of its cloud can reach
)

// special lists the address blocks that are not plainly public: those of the IANA
// special-purpose registries (RFC 6890 and its updates), multicast, and the
// deprecated ones that routers may still know.
var special = []struct {
	block netip.Prefix
	reach reach
}{
	{netip.MustParsePrefix("0.0.0.0/8"), inside}, // Linux connects 0.0.0.0 to itself
	{netip.MustParsePrefix("10.0.0.0/8"), private},
	{netip.MustParsePrefix("100.64.0.0/10"), private}, // carrier-grade NAT
	{netip.MustParsePrefix("127.0.0.0/8"), inside},
	{netip.MustParsePrefix("169.254.0.0/16"), inside}, // link-local: instance metadata
	{netip.MustParsePrefix("172.16.0.0/12"), private},
	{netip.MustParsePrefix("192.0.0.0/24"), private},
	{netip.MustParsePrefix("192.0.2.0/24"), private},
	{netip.MustParsePrefix("192.88.99.0/24"), private},
	{netip.MustParsePrefix("192.168.0.0/16"), private},
	{netip.MustParsePrefix("198.18.0.0/15"), private},
	{netip.MustParsePrefix("198.51.100.0/24"), private},
	{netip.MustParsePrefix("203.0.113.0/24"), private},
	{netip.MustParsePrefix("224.0.0.0/4"), private},
	{netip.MustParsePrefix("240.0.0.0/4"), private},

	{netip.MustParsePrefix("::/127"), inside},            // :: and ::1
	{netip.MustParsePrefix("fd00:ec2::254/128"), inside}, // instance metadata
	{netip.MustParsePrefix("fe80::/10"), inside},         // link-local
	{netip.MustParsePrefix("2001::/23"), private},        // Teredo, ORCHID, benchmarks
	{netip.MustParsePrefix("2001:db8::/32"), private},    // documentation
	{netip.MustParsePrefix("2002::/16"), private},        // 6to4
	{netip.MustParsePrefix("3fff::/20"), private},        // documentation
}

// globalUnicast is the one IPv6 block that holds public addresses. Unique local,
// site-local, multicast and NAT64 addresses lie outside it.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// reachOf classifies an address. An IPv6 address that carries an IPv4 one is
// never public and is judged by what it carries, if that is worse.
func reachOf(addr netip.Addr) reach {
	addr = addr.Unmap().WithZone("")
	r := public
	if addr.Is6() && !globalUnicast.Contains(addr) {
		r = private
	}
	for _, s := range special {
		if s.block.Contains(addr) {
			r = max(r, s.reach)
		}
	}
	if v4, ok := carried(addr); ok {
		r = max(r, private, reachOf(v4))
	}
	return r
}

// carried returns the IPv4 address that a transition mechanism would send an
// IPv6 packet to.
func carried(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return netip.Addr{}, false
	}
	b := addr.As16()
	at := func(i int) (netip.Addr, bool) {
		return netip.AddrFrom4([4]byte(b[i : i+4])), true
	}
	for _, mechanism := range []struct {
		block  netip.Prefix
		offset int
	}{
		{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible, deprecated
		{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // IPv4-translated
		{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64
		{netip.MustParsePrefix("64:ff9b:1::/48"), 12},  // NAT64, local use
		{netip.MustParsePrefix("2002::/16"), 2},        // 6to4
	} {
		if mechanism.block.Contains(addr) {
			return at(mechanism.offset)
		}
	}
	return netip.Addr{}, false
}
