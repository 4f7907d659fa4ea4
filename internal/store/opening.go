package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/table"
)

// price bounds how often something may be done in each window of time.
type price struct {
	most   int64
	window time.Duration
	over   string // what is told to whoever comes too often
}

// How often an identifier may be guessed at, whether or not anybody owns it, and
// how often a message may be sent to one address: each brings new guesses.
var (
	tries = price{100, 10 * time.Minute, "There were too many attempts to sign in with this identifier. Please wait some minutes and try again."}
	sends = price{12, time.Hour, "Too many messages were sent to this address. Please wait some time and try again."}
)

// Ask is what the first round trip of a request is to bring.
type Ask struct {
	Kind  flow.Kind
	Flow  string        // its id
	Token *secret.Token // of the caller's session, if any
	// Guard names the identifier that the submission claims, "" for none. An
	// attempt is paid for before anything about it is judged.
	Guard string
	// Aliases are further names that the guard's owner may have instead.
	Aliases []string
	// Guesses, when not zero, is how many submissions may guess at the flow's
	// proof; this is one of them and is paid for as well.
	Guesses int
	// Parked is the id of a submission that was parked, "" for none.
	Parked string
}

// ErrGuesses says that a flow's proof was guessed at too often.
var ErrGuesses = errors.New("too many guesses")

// Opening is what the first round trip brought.
type Opening struct {
	Flow   *flow.Flow
	Bearer *Bearer // nil for nobody
	// Overdrawn tells that this guess came after the last that was allowed.
	Overdrawn bool
	// Parked is the submission that was asked for, nil when it is not there, not
	// the flow's, or too old.
	Parked  *Parked
	ask     Ask
	claimed string // id of the identifier's owner
}

// Open reads flow, session, identifier and parked submission in one round trip
// and pays for the attempt in the same.
func (s *Store) Open(ctx context.Context, ask Ask) (*Opening, error) {
	id, ok := parse(ask.Flow)
	if !ok {
		return nil, fault.Missing()
	}
	ask.Flow = id
	opening := new(Opening)
	read := func(ctx context.Context) (err error) {
		opening, err = s.read(ctx, ask)
		return err
	}
	together := []func(context.Context) error{read}
	if ask.Guard != "" {
		together = append(together, func(ctx context.Context) error { return s.pay(ctx, ask.Guard, tries) })
	}
	guessed := error(nil)
	if ask.Guesses > 0 {
		together = append(together, func(ctx context.Context) error {
			guessed = s.guess(ctx, id, ask.Guesses)
			if errors.Is(guessed, ErrGuesses) {
				return nil // the flow is still needed, to be replaced
			}
			return guessed
		})
	}
	if err := table.Together(ctx, together...); err != nil {
		return nil, fmt.Errorf("open flow: %w", err)
	}
	opening.Overdrawn = guessed != nil
	return opening, nil
}

// Reopen reads again what Open read, as it is now, and pays for nothing.
func (s *Store) Reopen(ctx context.Context, opening *Opening) error {
	fresh, err := s.read(ctx, opening.ask)
	if err != nil {
		return fmt.Errorf("reopen flow: %w", err)
	}
	if fresh.Flow.Done {
		return ErrConsumed
	}
	*opening = *fresh
	return nil
}

// read is the one read of Open.
func (s *Store) read(ctx context.Context, ask Ask) (*Opening, error) {
	keys := []table.Key{key(flows, ask.Flow)}
	if ask.Token != nil {
		keys = append(keys, bearerKeys(*ask.Token)...)
	}
	if ask.Guard != "" {
		keys = append(keys, guardKey(ask.Guard))
		for _, alias := range ask.Aliases {
			keys = append(keys, guardKey(alias))
		}
	}
	if ask.Parked != "" {
		keys = append(keys, key(parked, ask.Parked))
	}
	items, err := s.Table.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	next := func() *table.Item {
		item := items[0]
		items = items[1:]
		return item
	}
	opening := &Opening{ask: ask}
	if opening.Flow, err = s.readFlow(next(), ask.Kind); err != nil {
		return nil, err
	}
	if ask.Token != nil {
		owner, live := next(), next()
		if opening.Bearer, err = bearer(*ask.Token, owner, live); err != nil {
			return nil, err
		}
	}
	if ask.Guard != "" {
		for range 1 + len(ask.Aliases) {
			if guard := next(); guard != nil && opening.claimed == "" {
				opening.claimed = guard.St
			}
		}
	}
	if ask.Parked != "" {
		opening.Parked = s.readParked(next(), ask.Flow)
	}
	return opening, nil
}

// guess counts a guess at a flow's proof; past the cap it is refused.
func (s *Store) guess(ctx context.Context, id string, most int) error {
	err := s.Table.Write(ctx, table.Update(key(flows, id), []table.Change{table.Add(table.AttrN, 1)},
		table.Exists(), table.Less(table.AttrN, int64(most))))
	if failed, over := errors.AsType[*table.ConditionFailed](err); over {
		if failed.Item == nil {
			return nil // there is no such flow, which the read says
		}
		return ErrGuesses
	}
	return err
}

// pay counts an attempt on a name; past the cap it is refused.
func (s *Store) pay(ctx context.Context, name string, p price) error {
	var c commit
	s.charge(&c, name, p)
	return c.write(ctx, s.Table)
}

// charge adds the write that counts an attempt on a name.
func (s *Store) charge(c *commit, name string, p price) {
	window := s.Now().Truncate(p.window)
	counter := key(counters, name+"#"+strconv.FormatInt(window.Unix(), 36))
	ends := window.Add(p.window)
	c.add(&fault.Error{Kind: fault.TooMany, Reason: p.over}, table.Update(counter, []table.Change{
		table.Add(table.AttrN, 1),
		table.Set(table.AttrExp, ends.UnixMilli()),
		table.Set(table.AttrTTL, s.ttl(ends, counterGrace)),
	}, table.Less(table.AttrN, p.most)))
}

// Spend pays for one guess at an identity's second factor. Past the cap it is
// refused: an overall bound over all of its factors and flows.
func (s *Store) Spend(ctx context.Context, id string) error {
	return s.pay(ctx, secondFactor+id, tries)
}

// What the names begin with under which guesses at second factors count, and
// messages to an address: an attempt at the address counts on its own.
const (
	secondFactor = "2#"
	mailTo       = "mail#"
	mailUnasked  = "mail-unasked#"
)

// Claimed returns the owner of the identifier that was asked for, nil for
// nobody; a name nobody owns costs the same read.
func (s *Store) Claimed(ctx context.Context, opening *Opening) (*identity.Identity, error) {
	return s.anybody(ctx, opening.claimed)
}

// Addressee is Claimed where a submission that names nobody is about whom the
// flow's proof was sent to.
func (s *Store) Addressee(ctx context.Context, opening *Opening) (*identity.Identity, error) {
	if proofs := opening.Flow.Proofs; opening.ask.Guard == "" && len(proofs) > 0 {
		return s.anybody(ctx, proofs[0].Identity)
	}
	return s.Claimed(ctx, opening)
}

// anybody returns the identity of that id, nil for none; "" costs the same read.
func (s *Store) anybody(ctx context.Context, id string) (*identity.Identity, error) {
	if id == "" {
		id = secret.NewV4(s.Rand).String()
	}
	who, err := s.Identity(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return who, err
}
