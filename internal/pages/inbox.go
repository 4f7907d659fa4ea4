package pages

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"styx/internal/courier/inbox"
)

// mailPolicy is for mail in HTML: it may look as it likes and do nothing.
const mailPolicy = "sandbox allow-popups; default-src 'none'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; style-src 'unsafe-inline'; img-src data:"

// inboxPage lists the mail that arrived on this machine.
type inboxPage struct {
	frame
	Mails []mail
}

// mail is one that arrived.
type mail struct {
	ID, To, Subject string
	At              time.Time
	Code            string
	Follow          string // the link that the mail asks to open
	HTML            bool   // whether there is an HTML part
}

// mailPage shows one mail.
type mailPage struct {
	frame
	mail

	Text string
}

func readMail(k inbox.Kept) mail {
	m := mail{ID: k.ID, To: k.To, Subject: k.Subject, At: k.At, HTML: k.HTML != ""}
	if m.Subject == "" {
		m.Subject, _, _ = strings.Cut(strings.TrimSpace(k.Text), "\n")
	}
	var data map[string]any
	if json.Unmarshal(k.Data, &data) != nil {
		return m // it is shown without
	}
	for name, value := range data {
		text, _ := value.(string)
		switch {
		case strings.HasSuffix(name, "_code") && text != "":
			m.Code = text
		case (name == "verification_url" || name == "recovery_url") && href(text) != "":
			m.Follow = text
		}
	}
	return m
}

// Moment is when the mail arrived, for people.
func (m mail) Moment() string { return m.At.Format("15:04:05") }

// byHand lets through who sits at this machine. A mail's code opens an account:
// neither another host, nor a page of one that has this machine's address in its
// DNS, nor a proxy in front may read it.
func byHand(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		proxied := r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != ""
		if err != nil || !peer.Addr().Unmap().IsLoopback() || !loopbackName(r.Host) || proxied {
			http.NotFound(w, r)
			return
		}
		next(w, r)
	}
}

// loopbackName tells whether a Host header names this machine to itself.
func loopbackName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Unmap().IsLoopback()
}

func (p *pages) inboxList(w http.ResponseWriter, r *http.Request) {
	page := inboxPage{frame: frame{Title: "Inbox", Heading: "Inbox", Base: p.base, Wide: true}}
	for _, kept := range p.inbox.List() {
		page.Mails = append(page.Mails, readMail(kept))
	}
	p.show(w, r, http.StatusOK, "inbox", page)
}

func (p *pages) inboxMail(w http.ResponseWriter, r *http.Request) {
	kept, found := p.inbox.Message(r.PathValue("id"))
	if !found {
		p.missing(w, r)
		return
	}
	page := mailPage{mail: readMail(kept), Text: kept.Text}
	page.frame = frame{
		Title: page.Subject, Heading: page.Subject, Base: p.base, Wide: true,
		Footer: []Link{{"Inbox", p.base + "/ui/inbox"}},
	}
	p.show(w, r, http.StatusOK, "mail", page)
}

// inboxHTML shows a mail's HTML part alone, cut off from these pages.
func (p *pages) inboxHTML(w http.ResponseWriter, r *http.Request) {
	kept, found := p.inbox.Message(r.PathValue("id"))
	if !found || kept.HTML == "" {
		p.missing(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(kept.HTML)) // the browser went away: nothing to do
}
