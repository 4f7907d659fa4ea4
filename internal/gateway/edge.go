package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// Where something stands before the public API that filters requests, as a
// content delivery network, the API is open to whoever goes around it. So each
// request brings a secret that only the edge knows, and whose it is.
const (
	edgeHeader   = "X-Styx-Edge"
	clientHeader = "X-Styx-Client"
)

// digests are those of a list of secrets, none for "".
func digests(list string) (all [][sha256.Size]byte) {
	if list == "" {
		return nil
	}
	for one := range strings.SplitSeq(list, ",") {
		all = append(all, sha256.Sum256([]byte(one)))
	}
	return all
}

// byTheEdge tells whether a request came by way of the edge, if there is one,
// and makes it the client's that the edge names. No handler sees either header.
func (g *Gateway) byTheEdge(p *passage) bool {
	secret, client := p.header.Get(edgeHeader), p.header.Get(clientHeader)
	p.header.Del(edgeHeader)
	p.header.Del(clientHeader)
	if len(g.edge) == 0 {
		return true
	}
	given, known := sha256.Sum256([]byte(secret)), 0
	for _, one := range g.edge {
		known |= subtle.ConstantTimeCompare(given[:], one[:])
	}
	if secret == "" || known != 1 {
		return false
	}
	p.remote = remote(client)
	return true
}
