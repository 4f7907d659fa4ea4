package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"styx/internal/session"
)

// Proxies are the networks whose forwarded headers count.
type Proxies []netip.Prefix

// Device describes where a request came from. Its id is set by the caller.
func (p Proxies) Device(r *http.Request) session.Device {
	device := session.Device{
		IPAddress: host(r.RemoteAddr),
		UserAgent: strings.Join(r.Header.Values("User-Agent"), " "),
	}
	if !p.trusts(r.RemoteAddr) {
		return device
	}
	if forwarded := p.forwarded(r); forwarded != "" {
		device.IPAddress = forwarded
	}
	place := []string{}
	for _, names := range [][2]string{
		{"Cf-Ipcity", "CloudFront-Viewer-City"},
		{"Cf-Ipcountry", "CloudFront-Viewer-Country"},
	} {
		for _, name := range names {
			if value := r.Header.Get(name); value != "" {
				place = append(place, value)
				break
			}
		}
	}
	device.Location = strings.Join(place, ", ")
	return device
}

// host drops the port of an address, which says nothing about who called.
func host(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}

func (p Proxies) trusts(remote string) bool {
	address, err := netip.ParseAddr(host(remote))
	if err != nil {
		return false
	}
	for _, network := range p {
		if network.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

// forwarded returns the client's address as a trusted proxy names it; what does
// not parse as an address is passed over, never believed.
func (p Proxies) forwarded(r *http.Request) string {
	for _, name := range []string{"True-Client-IP", "Cf-Connecting-IP", "X-Real-IP"} {
		if address, err := netip.ParseAddr(strings.TrimSpace(r.Header.Get(name))); err == nil {
			return address.String()
		}
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	// The right-most hop that no trusted proxy wrote about itself is the client;
	// everything to its left is the client's own claim.
	for _, hop := range slices.Backward(hops) {
		address, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return ""
		}
		if !p.trusts(address.String()) {
			return address.String()
		}
	}
	return ""
}
