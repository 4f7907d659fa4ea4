package migrate

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"styx/internal/identity"
)

// Cognito says how users of a Cognito user pool become identities.
type Cognito struct {
	SchemaID string
	// Traits maps the path of a trait, as name.first, to the attribute it is
	// filled from.
	Traits map[string]string
	// AskHook makes the first sign-in ask the password migration hook. Without it
	// an identity has no password until it recovers.
	AskHook bool
	// Providers maps names that the pool has for sign-in providers to those of
	// the configuration.
	Providers map[string]string
}

// user is a user of a pool, by the names of its attributes.
type user struct {
	name, status string
	disabled     bool
	attributes   map[string]string
}

// fromJSON reads one of the Users that the API's ListUsers answers with.
func (c Cognito) fromJSON(raw json.RawMessage) (Record, error) {
	var listed struct {
		Username   string
		UserStatus string
		Enabled    *bool
		Attributes []struct{ Name, Value string }
		// AdminGetUser says so.
		UserAttributes []struct{ Name, Value string }
	}
	if err := json.Unmarshal(raw, &listed); err != nil {
		return Record{}, fmt.Errorf("read the user: %w", err)
	}
	u := user{name: listed.Username, status: listed.UserStatus, disabled: listed.Enabled != nil && !*listed.Enabled, attributes: map[string]string{}}
	for _, one := range append(listed.Attributes, listed.UserAttributes...) {
		u.attributes[one.Name] = one.Value
	}
	return c.record(u)
}

// csv hands over the users of a file whose first line names the attributes, as
// that of the API's GetCSVHeader does.
func (c Cognito) csv(from io.Reader, each func(Record, error) error) error {
	rows := csv.NewReader(from)
	rows.ReuseRecord = true
	first, err := rows.Read()
	if err != nil {
		return fmt.Errorf("read the names of the columns: %w", err)
	}
	names := make([]string, len(first))
	for at, name := range first {
		names[at] = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not CSV: %w", err)
		}
		u := user{attributes: map[string]string{}}
		for at, value := range row {
			if value != "" {
				u.attributes[names[at]] = strings.Clone(value)
			}
		}
		u.name = cmp.Or(u.attributes["cognito:username"], u.attributes["Username"])
		u.status = cmp.Or(u.attributes["cognito:user_status"], u.attributes["UserStatus"])
		u.disabled = strings.EqualFold(u.attributes["Enabled"], "false")
		if err := each(c.record(u)); err != nil {
			return err
		}
	}
}

// record makes the identity of a user. It keeps the sub as its id, which is what
// an application knows its users by.
func (c Cognito) record(u user) (Record, error) {
	sub := u.attributes["sub"]
	name := cmp.Or(u.name, sub)
	if name == "" {
		return Record{}, errors.New("a user without a name")
	}
	to := Create{ID: canonical(sub), SchemaID: c.SchemaID, State: string(identity.Active)}
	if to.ID == "" {
		to.ID = derived([]byte("cognito\x00" + name))
	}
	if u.disabled {
		to.State = string(identity.Inactive)
	}
	traits, err := c.traits(u.attributes)
	if err != nil {
		return Record{}, err
	}
	to.Traits = traits
	for _, one := range []struct{ attribute, via string }{{"email", "email"}, {"phone_number", "sms"}} {
		if value := u.attributes[one.attribute]; value != "" && strings.EqualFold(u.attributes[one.attribute+"_verified"], "true") {
			to.VerifiableAddresses = append(to.VerifiableAddresses, Address{Value: value, Via: one.via, Verified: true, Status: string(identity.Completed)})
		}
	}
	to.MetadataAdmin, err = json.Marshal(map[string]any{"cognito": map[string]string{"username": name, "status": u.status}})
	if err != nil {
		return Record{}, fmt.Errorf("note where %s came from: %w", name, err)
	}
	record := Record{Create: to}
	linked, err := c.link(&record, u)
	if err != nil {
		return record, err
	}
	// Who always came from a provider has no password at all.
	if c.AskHook && !(linked && u.status == "EXTERNAL_PROVIDER") {
		record.add(identity.Password, passwordConfig{Migration: true})
	}
	return record, nil
}

// traits fills the traits that there are attributes for.
func (c Cognito) traits(attributes map[string]string) (json.RawMessage, error) {
	traits := map[string]any{}
	for _, path := range slices.Sorted(maps.Keys(c.Traits)) {
		value := attributes[c.Traits[path]]
		if value == "" {
			continue
		}
		at, names := traits, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			below, ok := at[name].(map[string]any)
			if !ok {
				below = map[string]any{}
				at[name] = below
			}
			at = below
		}
		at[names[len(names)-1]] = value
	}
	raw, err := json.Marshal(traits)
	if err != nil {
		return nil, fmt.Errorf("make the traits: %w", err)
	}
	return raw, nil
}

// link adds the sign-in providers that a user is known by, which stand in an
// attribute as JSON.
func (c Cognito) link(r *Record, u user) (linked bool, err error) {
	raw := u.attributes["identities"]
	if raw == "" {
		return false, nil
	}
	var known []struct{ UserID, ProviderName string }
	if err := json.Unmarshal([]byte(raw), &known); err != nil {
		return false, fmt.Errorf("read the identities of %s: %w", u.name, err)
	}
	var providers []identity.ProviderDocument
	for _, one := range known {
		if id := c.Providers[one.ProviderName]; id != "" {
			providers = append(providers, identity.ProviderDocument{Provider: id, Subject: one.UserID})
		} else {
			r.Lost = append(r.Lost, "sign-in by "+one.ProviderName)
		}
	}
	if len(providers) == 0 {
		return false, nil
	}
	r.add(identity.OIDC, map[string]any{"providers": providers})
	return true, nil
}

// Attributes returns the pairs of words "a=b" as a map.
func Attributes(pairs []string) (map[string]string, error) {
	made := map[string]string{}
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" || value == "" {
			return nil, fmt.Errorf("%q is not of the form NAME=NAME", pair)
		}
		made[name] = value
	}
	return made, nil
}

// Read hands over the users of a file, JSON or CSV: it tells by the first
// character.
func (c Cognito) Read(from io.Reader, each func(Record, error) error) error {
	buffered := bufio.NewReader(from)
	for {
		first, err := buffered.Peek(1)
		if err != nil {
			return fmt.Errorf("read the users: %w", err)
		}
		switch first[0] {
		case ' ', '\t', '\r', '\n':
			_, _ = buffered.Discard(1)
		case '{', '[':
			return Objects(buffered, func(raw json.RawMessage) error { return each(c.fromJSON(raw)) }, "Users")
		default:
			return c.csv(buffered, each)
		}
	}
}
