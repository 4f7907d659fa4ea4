package password

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/ui"
)

// maxBcrypt is how many bytes of a password bcrypt reads; a longer one is
// refused, never cut (ASVS 5.0, 6.2.8).
const maxBcrypt = 72

// What counts as too similar to an identifier: fewer than minDistance edits
// apart, or sharing a run of more than maxShared of the password. Texts of more
// than maxCompared characters are not compared.
const (
	minDistance = 5
	maxShared   = 0.5
	maxCompared = 256
)

// policy decides which new passwords are good enough: length, similarity to the
// identifiers, known breaches. There are no composition rules (ASVS 5.0, 6.2.5).
type policy struct {
	minLength  int
	similarity bool
	breaches   *breaches // nil: not checked
}

func newPolicy(c config.Password, client *http.Client) policy {
	p := policy{minLength: c.MinLength, similarity: c.SimilarityCheck}
	if c.BreachCheck {
		p.breaches = newBreaches(client, c.BreachHost, c.MaxBreaches, c.IgnoreNetworkErrors)
	}
	return p
}

// check refuses a password with a message for its field; a breach service that
// does not answer is an Upstream fault where the configuration wants that.
func (p policy) check(ctx context.Context, password string, identifiers []string) error {
	if len(password) < p.minLength {
		return refused(ui.Say(ui.PasswordTooShort, ui.Context{"min_length": p.minLength, "actual_length": len(password)}))
	}
	if p.similarity {
		for _, identifier := range identifiers {
			if similar(strings.ToLower(identifier), strings.ToLower(password)) {
				return refused(ui.Say(ui.PasswordLikeID))
			}
		}
	}
	if p.breaches == nil {
		return nil
	}
	breached, err := p.breaches.breached(ctx, password)
	if err != nil && ctx.Err() == nil {
		return &fault.Error{Kind: fault.Upstream, ID: "upstream_error", Reason: "Unable to check if the password has been leaked before.", Err: err}
	}
	if err == nil && breached {
		return refused(ui.Say(ui.PasswordBreached))
	}
	return err
}

func refused(message ui.Message) error { return fault.InvalidField(id, message) }

func tooLong(password string) error {
	return refused(ui.Say(ui.PasswordTooLong, ui.Context{"max_length": maxBcrypt, "actual_length": len(password)}))
}

// similar compares two texts in lower case.
func similar(identifier, password string) bool {
	if utf8.RuneCountInString(identifier) > maxCompared || utf8.RuneCountInString(password) > maxCompared {
		return false
	}
	distance, shared := compare([]rune(identifier), []rune(password))
	return distance < minDistance || float64(shared)/float64(utf8.RuneCountInString(password)) > maxShared
}

// compare returns the Levenshtein distance of two texts and the length of the
// longest run they share.
func compare(a, b []rune) (distance, shared int) {
	edits, runs := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range edits {
		edits[j] = j
	}
	for i, x := range a {
		diagonal, run := edits[0], runs[0]
		edits[0] = i + 1
		for j, y := range b {
			cost, length := 1, 0
			if x == y {
				cost, length = 0, run+1
			}
			shared = max(shared, length)
			next := min(edits[j+1]+1, edits[j]+1, diagonal+cost)
			diagonal, edits[j+1] = edits[j+1], next
			run, runs[j+1] = runs[j+1], length
		}
	}
	return edits[len(b)], shared
}
