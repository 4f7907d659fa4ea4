package identity

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Keyword is the schema keyword that says what a trait is used for.
const Keyword = "ory.sh/kratos"

// Marks is what the keyword says about one trait.
type Marks struct {
	Password     bool // the value is an identifier for passwords
	WebAuthn     bool // the value is an identifier for security keys
	Code         bool // the value is where a sign-in code is sent
	CodeVia      Via  // "" follows the format
	DisplayName  bool // the value names passkeys
	AccountName  bool // the value names TOTP secrets
	Verification Via
	Recovery     Via
	Organization string // how the value matches an organization
}

// Identifies tells whether a person may type the value to say who they are.
func (m Marks) Identifies() bool {
	return m.Password || m.WebAuthn || m.Code || m.DisplayName || m.AccountName
}

// Addresses tells whether the value is an identifier or an address, so that a
// telephone number has to be written in E.164.
func (m Marks) Addresses() bool {
	return m.Password || m.WebAuthn || m.Code || m.Verification != "" || m.Recovery != ""
}

type marksDocument struct {
	Credentials struct {
		Password struct {
			Identifier bool `json:"identifier"`
		} `json:"password"`
		WebAuthn struct {
			Identifier bool `json:"identifier"`
		} `json:"webauthn"`
		Passkey struct {
			DisplayName bool `json:"display_name"`
		} `json:"passkey"`
		TOTP struct {
			AccountName bool `json:"account_name"`
		} `json:"totp"`
		Code struct {
			Identifier bool `json:"identifier"`
			Via        Via  `json:"via"`
		} `json:"code"`
	} `json:"credentials"`
	Verification struct {
		Via Via `json:"via"`
	} `json:"verification"`
	Recovery struct {
		Via Via `json:"via"`
	} `json:"recovery"`
	Organizations struct {
		Matcher string `json:"matcher"`
	} `json:"organizations"`
}

// ParseMarks reads the value of the keyword. A key that it does not know is an
// error: a misspelt mark would silently leave people without an identifier.
func ParseMarks(raw []byte) (Marks, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var doc marksDocument
	if err := decoder.Decode(&doc); err != nil {
		return Marks{}, fmt.Errorf("read %s: %w", Keyword, err)
	}
	for _, via := range []Via{doc.Credentials.Code.Via, doc.Verification.Via, doc.Recovery.Via} {
		if via != "" && via != ViaEmail && via != ViaSMS {
			return Marks{}, fmt.Errorf("read %s: via is %q, neither %q nor %q", Keyword, via, ViaEmail, ViaSMS)
		}
	}
	return Marks{
		Password: doc.Credentials.Password.Identifier, WebAuthn: doc.Credentials.WebAuthn.Identifier,
		Code: doc.Credentials.Code.Identifier, CodeVia: doc.Credentials.Code.Via,
		DisplayName: doc.Credentials.Passkey.DisplayName, AccountName: doc.Credentials.TOTP.AccountName,
		Verification: doc.Verification.Via, Recovery: doc.Recovery.Via,
		Organization: doc.Organizations.Matcher,
	}, nil
}
