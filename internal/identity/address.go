package identity

import (
	"encoding/json"
	"io"
	"time"

	"styx/internal/secret"
)

// Via is the channel that reaches an address.
type Via string

// The channels.
const (
	ViaEmail Via = "email"
	ViaSMS   Via = "sms"
)

// Status says how far the verification of an address has come.
type Status string

// The states of a verification.
const (
	Pending   Status = "pending"
	Sent      Status = "sent"
	Completed Status = "completed"
)

// Address is an address as a schema derives it from the traits.
type Address struct {
	Via   Via
	Value string // in normal form
}

// VerifiableAddress is an address whose owner can prove to receive mail there.
type VerifiableAddress struct {
	ID         string
	Value      string
	Verified   bool
	Via        Via
	Status     Status
	VerifiedAt time.Time // zero until verified
	CreatedAt  time.Time
	UpdatedAt  time.Time

	unknown map[string]json.RawMessage
}

// RecoveryAddress is an address that may be used to recover an account.
type RecoveryAddress struct {
	ID        string
	Value     string
	Via       Via
	CreatedAt time.Time
	UpdatedAt time.Time

	unknown map[string]json.RawMessage
}

// Verify marks the address as verified.
func (a *VerifiableAddress) Verify(now time.Time) {
	now = stored(now)
	a.Verified, a.Status, a.VerifiedAt, a.UpdatedAt = true, Completed, now, now
}

// Verifiable returns the verifiable address of that value, in whatever form it
// was typed, or nil. The pointer is into the identity.
func (i *Identity) Verifiable(via Via, value string) *VerifiableAddress {
	for at := range i.VerifiableAddresses {
		if address := &i.VerifiableAddresses[at]; address.Via == via && Normalize(address.Value) == Normalize(value) {
			return address
		}
	}
	return nil
}

// Recovery returns the recovery address of that value, or nil.
func (i *Identity) Recovery(via Via, value string) *RecoveryAddress {
	for at := range i.RecoveryAddresses {
		if address := &i.RecoveryAddresses[at]; address.Via == via && Normalize(address.Value) == Normalize(value) {
			return address
		}
	}
	return nil
}

// SetVerifiable replaces the verifiable addresses: one that is equal in normal
// form keeps its row and its state, any other starts unverified. Rows that an
// administrator sent along have no id yet and count as rows that exist.
func (i *Identity) SetVerifiable(addresses []Address, now time.Time, rand io.Reader) {
	now = stored(now)
	rows := make([]VerifiableAddress, 0, len(addresses))
	for _, address := range addresses {
		row := VerifiableAddress{Via: address.Via}
		if old := i.Verifiable(address.Via, address.Value); old != nil {
			row = *old
		}
		if row.ID == "" {
			row.ID, row.CreatedAt, row.UpdatedAt = secret.NewV4(rand).String(), now, now
		}
		row.Value = address.Value
		row.settle(now)
		rows = append(rows, row)
	}
	i.VerifiableAddresses = rows
}

// settle makes the members about verification agree with verified, which is the
// one that an import decides by.
func (a *VerifiableAddress) settle(now time.Time) {
	if a.Verified {
		a.Status = Completed
		if a.VerifiedAt.IsZero() {
			a.VerifiedAt = now
		}
		return
	}
	a.VerifiedAt = time.Time{}
	if a.Status != Sent {
		a.Status = Pending
	}
}

// SetRecovery replaces the recovery addresses as SetVerifiable does.
func (i *Identity) SetRecovery(addresses []Address, now time.Time, rand io.Reader) {
	now = stored(now)
	rows := make([]RecoveryAddress, 0, len(addresses))
	for _, address := range addresses {
		row := RecoveryAddress{Via: address.Via}
		if old := i.Recovery(address.Via, address.Value); old != nil {
			row = *old
		}
		if row.ID == "" {
			row.ID, row.CreatedAt, row.UpdatedAt = secret.NewV4(rand).String(), now, now
		}
		row.Value = address.Value
		rows = append(rows, row)
	}
	i.RecoveryAddresses = rows
}

// Addressed is Verifiable on an identity that may be nobody.
func (i *Identity) Addressed(via Via, value string) *VerifiableAddress {
	if i == nil {
		return nil
	}
	return i.Verifiable(via, value)
}
