package smtp

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a mail server on loopback. What it says can be changed before it is
// asked.
type server struct {
	net.Listener
	// offers are the extensions after EHLO.
	offers []string
	// tls is what STARTTLS uses, and the listener when implicit is set.
	tls      *tls.Config
	implicit bool
	// answer is asked before each command; "" is the usual answer, "hang" none,
	// "reset" cuts the connection.
	answer func(command string) string

	mu       sync.Mutex
	mails    []string
	commands []string
	running  sync.WaitGroup
}

// serve starts a server. It ends with the test, and every connection with it.
func serve(t *testing.T, s *server) *server {
	t.Helper()
	var err error
	if s.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	s.running.Go(func() {
		for {
			conn, err := s.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			s.running.Go(func() { s.talk(conn) })
		}
	})
	t.Cleanup(func() {
		_ = s.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		s.running.Wait()
	})
	return s
}

func (s *server) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	secured := false
	if s.implicit {
		conn, secured = tls.Server(conn, s.tls), true
	}
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
	// usual answers a command, or does what the test wants instead.
	usual := func(command, line string) bool {
		if s.answer != nil {
			switch own := s.answer(command); own {
			case "":
			case "hang":
				_, _ = in.ReadString(0)
				return false
			case "reset":
				_ = conn.(*net.TCPConn).SetLinger(0)
				return false
			default:
				line = own
			}
		}
		say(line)
		return true
	}
	if !usual("connect", "220 mail.example.org ESMTP") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		s.mu.Lock()
		s.commands = append(s.commands, line)
		s.mu.Unlock()
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch verb {
		case "EHLO":
			offers := s.offers
			if s.tls != nil && !secured {
				offers = append([]string{"STARTTLS"}, offers...)
			}
			say("250-mail.example.org")
			for _, offer := range offers {
				say("250-" + offer)
			}
			if !usual(verb, "250 8BITMIME") {
				return
			}
		case "STARTTLS":
			say("220 go on")
			conn, secured = tls.Server(conn, s.tls), true
			in = bufio.NewReader(conn)
		case "AUTH":
			if !usual(verb, "235 welcome") {
				return
			}
		case "DATA":
			if !usual(verb, "354 go on") {
				return
			}
			var mail strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				mail.WriteString(strings.TrimPrefix(line, "."))
			}
			s.mu.Lock()
			s.mails = append(s.mails, mail.String())
			s.mu.Unlock()
			if !usual("end of data", "250 taken") {
				return
			}
		case "QUIT":
			usual(verb, "221 bye")
			return
		default:
			if !usual(verb, "250 fine") {
				return
			}
		}
	}
}

func (s *server) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}

func (s *server) said(prefix string) (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.commands {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, line)
		}
	}
	return lines
}

// certificate makes one for loopback, signed by itself.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "styx test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
