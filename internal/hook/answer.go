package hook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/ui"
)

// Change is what a receiver wants an identity to be. What is nil or empty stays
// as it is. Nothing of it was validated but its form.
type Change struct {
	Traits              json.RawMessage
	SchemaID            string
	State               identity.State
	VerifiableAddresses []identity.VerifiableAddress // without ids and times where the receiver gave none
	RecoveryAddresses   []identity.RecoveryAddress
	MetadataPublic      json.RawMessage
	MetadataAdmin       json.RawMessage
	ExternalID          *string // "" removes it
}

// address is an address as a receiver writes it. Members beyond these would be
// stored as those of a newer release, so the identity's own form is not used.
type address struct {
	ID         string          `json:"id"`
	Value      string          `json:"value"`
	Verified   bool            `json:"verified"`
	Via        identity.Via    `json:"via"`
	Status     identity.Status `json:"status"`
	VerifiedAt time.Time       `json:"verified_at"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
}

// parseChange reads the answer 200 of a hook with response.parse:
//
//	{"identity": {"traits", "schema_id", "state", "verifiable_addresses", "recovery_addresses",
//	              "metadata_public", "metadata_admin", "external_id"}}
//
// All members are optional; without an identity it returns nil.
func parseChange(body []byte) (*Change, error) {
	var answer struct {
		Identity *struct {
			Traits              json.RawMessage `json:"traits"`
			SchemaID            string          `json:"schema_id"`
			State               identity.State  `json:"state"`
			VerifiableAddresses []address       `json:"verifiable_addresses"`
			RecoveryAddresses   []address       `json:"recovery_addresses"`
			MetadataPublic      json.RawMessage `json:"metadata_public"`
			MetadataAdmin       json.RawMessage `json:"metadata_admin"`
			ExternalID          *string         `json:"external_id"`
		} `json:"identity"`
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	said := answer.Identity
	if said == nil {
		return nil, nil
	}
	if said.State != "" && !said.State.Valid() {
		return nil, errors.New("read the answer: there is no such state")
	}
	change := &Change{
		Traits: present(said.Traits), SchemaID: said.SchemaID, State: said.State,
		MetadataPublic: present(said.MetadataPublic), MetadataAdmin: present(said.MetadataAdmin),
		ExternalID: said.ExternalID,
	}
	for _, a := range said.VerifiableAddresses {
		id, err := a.id()
		if err != nil {
			return nil, err
		}
		change.VerifiableAddresses = append(change.VerifiableAddresses, identity.VerifiableAddress{
			ID: id, Value: a.Value, Verified: a.Verified, Via: a.Via, Status: a.Status,
			VerifiedAt: a.VerifiedAt, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		})
	}
	for _, a := range said.RecoveryAddresses {
		id, err := a.id()
		if err != nil {
			return nil, err
		}
		change.RecoveryAddresses = append(change.RecoveryAddresses, identity.RecoveryAddress{
			ID: id, Value: a.Value, Via: a.Via, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		})
	}
	return change, nil
}

// id returns the id of an address that exists, "" of a new one. A receiver that
// sends back what it was sent gives a new one the nil UUID.
func (a address) id() (string, error) {
	if a.ID == "" {
		return "", nil
	}
	id, err := secret.ParseUUID(a.ID)
	if err != nil {
		return "", fmt.Errorf("read the answer: the id of an address: %w", err)
	}
	if id == (secret.UUID{}) {
		return "", nil
	}
	return id.String(), nil
}

// present takes null for nothing.
func present(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// maxMessages bounds the messages of one refusal: they are stored with the flow.
const maxMessages = 100

// refusal reads the answer of 400 or more of a hook that may refuse:
//
//	{"messages": [{"instance_ptr": "#/traits/email", "messages": [{"id", "text", "type", "context"}]}]}
//
// It returns the fault that shows them, or an error when there are none.
func refusal(body []byte) error {
	var answer struct {
		Messages []struct {
			InstancePtr string `json:"instance_ptr"`
			Messages    []struct {
				ID      ui.ID           `json:"id"`
				Text    string          `json:"text"`
				Type    string          `json:"type"`
				Context json.RawMessage `json:"context"`
			} `json:"messages"`
		} `json:"messages"`
	}
	if err := decode(body, &answer); err != nil {
		return err
	}
	var fields []fault.Field
	for _, group := range answer.Messages {
		at := nodeName(group.InstancePtr)
		for _, said := range group.Messages {
			message := ui.Message{ID: said.ID, Text: said.Text, Type: ui.Info}
			if said.Type == string(ui.Failure) {
				message.Type = ui.Failure
			}
			// What is no object has no place in a message.
			if err := json.Unmarshal(said.Context, &message.Context); err != nil {
				message.Context = nil
			}
			fields = append(fields, fault.Field{At: at, Text: message})
		}
	}
	if len(fields) == 0 {
		return errors.New("the answer refuses without a message")
	}
	return fault.Invalid(fields[:min(len(fields), maxMessages)]...)
}

// decode reads the first JSON value of an answer; receivers may say more.
func decode(body []byte, into any) error {
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// nodeName returns the form's name of what a JSON pointer points to, "" for the
// form as a whole: #/traits/email is traits.email. A dot within a name is
// escaped, as in the names of traits.
func nodeName(pointer string) string {
	path, ok := strings.CutPrefix(strings.TrimPrefix(pointer, "#"), "/")
	if !ok || path == "" {
		return ""
	}
	steps := strings.Split(path, "/")
	for i, step := range steps {
		if plain, err := url.PathUnescape(step); err == nil {
			step = plain
		}
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		steps[i] = strings.ReplaceAll(step, ".", `\.`)
	}
	return strings.Join(steps, ".")
}
