package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"styx/internal/config"
	"styx/internal/courier"
)

const (
	plainPort = 25
	tlsPort   = 465

	// quitTime is how long a server may take to say good-bye after it has taken
	// the mail.
	quitTime = 2 * time.Second
	// firstRefusal is the lowest reply that no later attempt would change.
	firstRefusal = 500
)

// Options are what a Sender needs.
type Options struct {
	Config config.SMTP
	// Dial connects; it may refuse addresses.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Now  func() time.Time
}

// Sender sends mail to one server, over a connection of its own for each: none
// outlives the request that opened it. It is safe for concurrent use.
type Sender struct {
	Options
	host     string
	port     int
	implicit bool // TLS from the first byte
	tls      *tls.Config
	policy   mail.TLSPolicy
	username string
	password string
}

// New reads the connection URI, which is smtp://[user:password@]host[:port] (TLS
// if the server offers it) or smtps:// (TLS from the start); its query may have
// disable_starttls=true and skip_ssl_verify=true. It connects to nobody. No error
// repeats the URI, which may hold a password.
func New(o Options) (*Sender, error) {
	uri, err := url.Parse(o.Config.URI.Reveal())
	if err != nil || uri.Hostname() == "" || uri.Scheme != "smtp" && uri.Scheme != "smtps" {
		return nil, errors.New("courier.smtp.connection_uri must be smtp://host:port or smtps://host:port")
	}
	s := &Sender{
		Options: o, host: uri.Hostname(), port: plainPort, implicit: uri.Scheme == "smtps",
		tls:    &tls.Config{ServerName: uri.Hostname(), MinVersion: tls.VersionTLS12},
		policy: mail.TLSOpportunistic,
	}
	if s.implicit {
		s.port = tlsPort
	}
	if port := uri.Port(); port != "" {
		if s.port, err = strconv.Atoi(port); err != nil {
			return nil, errors.New("courier.smtp.connection_uri: the port is no number")
		}
	}
	if uri.Query().Get("skip_ssl_verify") == "true" {
		s.tls.InsecureSkipVerify = true // the operator's word, for servers of his own
	}
	if uri.Query().Get("disable_starttls") == "true" {
		s.policy = mail.NoTLS
	}
	s.username = uri.User.Username()
	s.password, _ = uri.User.Password()
	if c := o.Config; c.ClientCertPath != "" || c.ClientKeyPath != "" {
		pair, err := tls.LoadX509KeyPair(c.ClientCertPath, c.ClientKeyPath)
		if err != nil {
			return nil, fmt.Errorf("courier.smtp.client_cert_path: %w", err)
		}
		s.tls.Certificates = []tls.Certificate{pair}
	}
	return s, nil
}

// Send implements courier.Send.
func (s *Sender) Send(ctx context.Context, l *courier.Letter) error {
	msg, err := s.mail(l)
	if err != nil {
		return err
	}
	var conn net.Conn
	client, err := mail.NewClient(s.host, append(s.settings(), mail.WithDialContextFunc(
		func(_ context.Context, network, address string) (net.Conn, error) {
			var err error
			conn, err = s.connect(ctx, network, address)
			return conn, err
		}))...)
	if err != nil {
		return fmt.Errorf("prepare SMTP: %w", err)
	}
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("connect to the mail server: %w", err)
	}
	err = client.SendWithSMTPClient(session, msg)
	bye := time.AfterFunc(quitTime, func() { _ = conn.Close() })
	defer bye.Stop()
	if msg.IsDelivered() {
		_ = session.Quit() // the mail is taken, whatever follows
		return nil
	}
	if refusal, ok := errors.AsType[*mail.SendError](err); ok && refusal.ErrorCode() >= firstRefusal {
		_ = session.Quit()
		return &courier.RefusedError{Err: err}
	}
	return err
}

// settings are the client's, but for its connection.
func (s *Sender) settings() []mail.Option {
	options := []mail.Option{
		mail.WithPort(s.port), mail.WithTimeout(courier.Timeout),
		mail.WithTLSPolicy(s.policy), mail.WithTLSConfig(s.tls.Clone()),
		mail.WithoutNoop(), mail.WithoutRset(),
	}
	if s.Config.LocalName != "" {
		options = append(options, mail.WithHELO(s.Config.LocalName))
	}
	if s.implicit {
		options = append(options, mail.WithSSL())
	}
	if s.username != "" {
		options = append(options, mail.WithUsername(s.username), mail.WithPassword(s.password))
		// PLAIN and LOGIN are for encrypted connections, and for this machine.
		if loopback(s.host) {
			options = append(options, mail.WithOpportunisticSMTPAuth(mail.SMTPAuthPlain, mail.SMTPAuthLogin))
		} else {
			options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover))
		}
	}
	return options
}

// connect opens a connection that ends with ctx.
func (s *Sender) connect(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	raw := conn
	context.AfterFunc(ctx, func() { _ = raw.Close() })
	if !s.implicit {
		return conn, nil
	}
	secured := tls.Client(conn, s.tls.Clone())
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// mail makes the mail of a letter. An address that is none is refused for good.
func (s *Sender) mail(l *courier.Letter) (*mail.Msg, error) {
	to, err := netmail.ParseAddress(l.To)
	if err != nil || to.Address != l.To {
		return nil, &courier.RefusedError{Err: errors.New("the recipient is no mail address")}
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(s.Config.FromName, s.Config.FromAddress); err != nil {
		return nil, fmt.Errorf("courier.smtp.from_address: %w", err)
	}
	msg.ToMailAddress(to)
	msg.Subject(l.Subject)
	msg.SetDateWithValue(s.Now())
	// The same in every attempt: a receiver can tell that it has the mail.
	msg.SetMessageIDWithValue(l.ID + "@" + s.Config.FromAddress[strings.LastIndexByte(s.Config.FromAddress, '@')+1:])
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	for name, value := range s.Config.Headers {
		msg.SetGenHeader(mail.Header(name), strings.Join(strings.Fields(value), " "))
	}
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	return msg, nil
}
