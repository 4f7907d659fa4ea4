package template

import (
	"strings"

	"styx/internal/courier"
)

// wording is what a message says when the operator says nothing else. Every
// text is a template.
type wording struct {
	subject string
	before  []string // paragraphs
	code    string   // the code, "" for none
	link    string   // where a button leads, "" for none
	button  string   // what it says
	after   []string // paragraphs
	sms     string
}

const (
	expires = `It expires in {{ .ExpiresInMinutes }} minutes.`
	ignore  = `If this was not you, there is nothing to do: without the code nobody gets any further.`
	unasked = `If this was not you, there is nothing to do.`
	beware  = `If this was not you, change your password now and check how your account can be reached.`
)

// bound is the last line of a text message: browsers fill the code in on that
// domain alone.
func bound(code string) string { return "@{{ .RequestURLDomain }} #" + code }

// wordings are the defaults. Subjects and text messages are the contract's.
var wordings = map[courier.Template]wording{
	courier.RecoveryCodeValid: {
		subject: `Use code {{ .RecoveryCode }} to recover access to your account`,
		before:  []string{`To recover access to your account, enter this code:`},
		code:    `{{ .RecoveryCode }}`,
		after:   []string{expires + ` Do not pass it on: whoever has it can enter your account.`, ignore},
		sms:     "Your recovery code is: {{ .RecoveryCode }}\n\n" + bound(`{{ .RecoveryCode }}`),
	},
	courier.RecoveryCodeInvalid: {
		subject: `Account access attempted`,
		before: []string{
			`Somebody, perhaps you, asked to recover an account under this address. There is no account with it.`,
			`If it was you, you may have signed up with another address.`,
		},
		after: []string{unasked},
	},
	courier.RecoveryValid: {
		subject: `Recover access to your account`,
		before:  []string{`To recover access to your account, follow this link:`},
		link:    `{{ .RecoveryURL }}`,
		button:  `Recover access`,
		after:   []string{expires + ` Do not pass it on: whoever has it can enter your account.`, unasked},
	},
	courier.RecoveryInvalid: {
		subject: `Account access attempted`,
		before: []string{
			`Somebody, perhaps you, asked to recover an account under this address. There is no account with it.`,
			`If it was you, you may have signed up with another address.`,
		},
		after: []string{unasked},
	},
	courier.VerificationCodeValid: {
		subject: `Use code {{ .VerificationCode }} to verify your account`,
		before:  []string{`To confirm that this address is yours, enter this code:`},
		code:    `{{ .VerificationCode }}`,
		link:    `{{ .VerificationURL }}`,
		button:  `Enter it for me`,
		after:   []string{expires, unasked},
		sms:     "Your verification code is: {{ .VerificationCode }}\n\n" + expires + "\n\n" + bound(`{{ .VerificationCode }}`),
	},
	courier.VerificationCodeInvalid: {
		subject: `Someone tried to verify this email address`,
		before:  []string{`Somebody, perhaps you, asked to verify this address. There is no account with it.`},
		after:   []string{unasked},
	},
	courier.VerificationValid: {
		subject: `Please verify your email address`,
		before:  []string{`To confirm that this address is yours, follow this link:`},
		link:    `{{ .VerificationURL }}`,
		button:  `Verify this address`,
		after:   []string{expires, unasked},
	},
	courier.VerificationInvalid: {
		subject: `Someone tried to verify this email address`,
		before:  []string{`Somebody, perhaps you, asked to verify this address. There is no account with it.`},
		after:   []string{unasked},
	},
	courier.RegistrationCodeValid: {
		subject: `Use code {{ .RegistrationCode }} to complete your account registration`,
		before:  []string{`To complete your registration, enter this code:`},
		code:    `{{ .RegistrationCode }}`,
		after:   []string{expires, ignore},
		sms:     "Your registration code is: {{ .RegistrationCode }}\n\n" + expires + "\n\n" + bound(`{{ .RegistrationCode }}`) + "\n", // as recorded
	},
	courier.LoginCodeValid: {
		subject: `Use code {{ .LoginCode }} to log in`,
		before:  []string{`To log in, enter this code:`},
		code:    `{{ .LoginCode }}`,
		after:   []string{expires + ` Do not pass it on: whoever has it can enter your account.`, ignore},
		sms:     "Your login code is: {{ .LoginCode }}\n\n" + expires + "\n\n" + bound(`{{ .LoginCode }}`),
	},
	courier.AddressChanged: {
		subject: `A verifiable address on your account was changed`,
		before:  []string{`An address on your account was changed{{ if not .ChangedAt.IsZero }} on {{ .ChangedAt.UTC.Format "2 January 2006 at 15:04 UTC" }}{{ end }}.`},
		after:   []string{`If this was you, there is nothing to do.`, beware},
		sms:     `An address on your account was changed. ` + beware,
	},
	courier.AuthenticatorAdded: {
		subject: `A new sign-in method was added to your account`,
		before:  []string{`A new way to sign in was added to your account{{ if not .AddedAt.IsZero }} on {{ .AddedAt.UTC.Format "2 January 2006 at 15:04 UTC" }}{{ end }}.`},
		after:   []string{`If this was you, there is nothing to do.`, beware},
		sms:     `A new way to sign in was added to your account. ` + beware,
	},
	courier.Stub: {
		subject: `stub`,
		before:  []string{`stub`},
		sms:     `stub`,
	},
}

// source is the default template of one part.
func (w wording) source(p part) string {
	switch p {
	case subject:
		return w.subject
	case plain:
		return w.plain()
	case html:
		return w.html()
	case sms:
		return w.sms
	default:
		return ""
	}
}

// plain lays the wording out as text.
func (w wording) plain() string {
	blocks := append([]string{}, w.before...)
	switch {
	case w.code != "" && w.link != "":
		blocks = append(blocks, w.code, `Or follow this link:`, w.link)
	case w.code != "" || w.link != "":
		blocks = append(blocks, w.code+w.link)
	}
	return strings.Join(append(blocks, w.after...), "\n\n") + "\n"
}

// The mail's frame: one column that any client lays out, colours inline for
// those that drop style sheets, and a style sheet for those that know dark mode.
const (
	htmlHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{ template "subject" . }}</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .back { background: #16181d !important; }
  .card { background: #22262e !important; border-color: #363c47 !important; }
  .text { color: #e8eaee !important; }
  .quiet { color: #a9b0bd !important; }
  .code { background: #16181d !important; color: #ffffff !important; }
}
</style>
</head>
<body class="back" style="margin:0;padding:0;background:#f3f4f6">
<table role="presentation" class="back" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f3f4f6">
<tr><td align="center" style="padding:32px 16px">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:520px;background:#ffffff;border:1px solid #e2e5ea;border-radius:8px">
<tr><td style="padding:32px;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:24px">
`
	htmlFoot = `</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`
)

func paragraph(text string) string {
	return `<p class="text" style="margin:0 0 16px;color:#1d2129">` + text + "</p>\n"
}

// html lays the wording out as a mail.
func (w wording) html() string {
	var b strings.Builder
	b.WriteString(`{{ define "subject" }}` + w.subject + `{{ end }}`)
	b.WriteString(htmlHead)
	for _, text := range w.before {
		b.WriteString(paragraph(text))
	}
	if w.code != "" {
		b.WriteString(`<p class="code" style="margin:0 0 16px;padding:16px;border-radius:6px;background:#f3f4f6;color:#1d2129;` +
			`font-family:Consolas,Menlo,monospace;font-size:28px;line-height:36px;letter-spacing:4px;text-align:center">` + w.code + "</p>\n")
	}
	if w.link != "" {
		b.WriteString(`<p style="margin:0 0 16px;text-align:center"><a href="` + w.link + `" style="display:inline-block;padding:12px 24px;border-radius:6px;` +
			`background:#2454c7;color:#ffffff;font-weight:600;text-decoration:none">` + w.button + "</a></p>\n")
		b.WriteString(`<p class="quiet" style="margin:0 0 16px;color:#5b6472;font-size:13px;line-height:20px;word-break:break-all">` + w.link + "</p>\n")
	}
	for _, text := range w.after {
		b.WriteString(`<p class="quiet" style="margin:0 0 8px;color:#5b6472;font-size:14px;line-height:20px">` + text + "</p>\n")
	}
	b.WriteString(htmlFoot)
	return b.String()
}
