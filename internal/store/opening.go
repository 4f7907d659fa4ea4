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

// Attempts bound how often an identifier may be guessed at: so many in each
// window, whether or not anybody owns it.
const (
	attemptCap    = 100
	attemptWindow = 10 * time.Minute
)

// Ask is what the first round trip of a request is to bring.
type Ask struct {
	Kind  flow.Kind
	Flow  string        // its id
	Token *secret.Token // of the caller's session, if any
	// Guard names the identifier that the submission claims, "" for none. An
	// attempt is paid for before anything about it is judged.
	Guard string
	// Guesses, when not zero, is how many submissions may guess at the flow's
	// proof; this is one of them and is paid for as well.
	Guesses int
}

// ErrGuesses says that a flow's proof was guessed at too often.
var ErrGuesses = errors.New("too many guesses")

// Opening is what the first round trip brought.
type Opening struct {
	Flow   *flow.Flow
	Bearer *Bearer // nil for nobody
	// Overdrawn tells that this guess came after the last that was allowed.
	Overdrawn bool
	claimed   string // id of the identifier's owner
	guard     string
}

// Open reads flow, session and identifier in one round trip and pays for the
// attempt in the same.
func (s *Store) Open(ctx context.Context, ask Ask) (*Opening, error) {
	id, ok := parse(ask.Flow)
	if !ok {
		return nil, fault.Missing()
	}
	keys := []table.Key{key(flows, id)}
	if ask.Token != nil {
		keys = append(keys, bearerKeys(*ask.Token)...)
	}
	if ask.Guard != "" {
		keys = append(keys, guardKey(ask.Guard))
	}
	var items []*table.Item
	read := func(ctx context.Context) (err error) {
		items, err = s.Table.Get(ctx, keys...)
		return err
	}
	together := []func(context.Context) error{read}
	if ask.Guard != "" && ask.Kind == flow.Login {
		together = append(together, func(ctx context.Context) error { return s.pay(ctx, ask.Guard) })
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
	opening, err := open(ask, items)
	if err == nil && guessed != nil {
		opening.Overdrawn = true
	}
	return opening, err
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

func open(ask Ask, items []*table.Item) (*Opening, error) {
	found, err := readFlow(items[0], ask.Kind)
	if err != nil {
		return nil, err
	}
	opening := &Opening{Flow: found, guard: ask.Guard}
	items = items[1:]
	if ask.Token != nil {
		if opening.Bearer, err = bearer(*ask.Token, items[0], items[1]); err != nil {
			return nil, err
		}
		items = items[2:]
	}
	if ask.Guard != "" && items[0] != nil {
		opening.claimed = items[0].St
	}
	return opening, nil
}

// pay counts an attempt on a name; past the cap it is refused.
func (s *Store) pay(ctx context.Context, name string) error {
	now := s.Now()
	window := now.Truncate(attemptWindow)
	counter := key(counters, name+"#"+strconv.FormatInt(window.Unix(), 36))
	ends := window.Add(attemptWindow)
	err := s.Table.Write(ctx, table.Update(counter, []table.Change{
		table.Add(table.AttrN, 1),
		table.Set(table.AttrExp, ends.UnixMilli()),
		table.Set(table.AttrTTL, s.ttl(ends, counterGrace)),
	}, table.Less(table.AttrN, attemptCap)))
	if _, over := errors.AsType[*table.ConditionFailed](err); over {
		return &fault.Error{Kind: fault.TooMany, Reason: "There were too many attempts to sign in with this identifier. Please wait some minutes and try again."}
	}
	return err
}

// Claimed returns the owner of the identifier that was asked for, nil for
// nobody; a name nobody owns costs the same read.
func (s *Store) Claimed(ctx context.Context, opening *Opening) (*identity.Identity, error) {
	id := opening.claimed
	if proof := opening.Flow.Proof; opening.guard == "" && proof != nil {
		id = proof.Identity
	}
	if id == "" {
		id = secret.NewV4(s.Rand).String()
	}
	who, err := s.Identity(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return who, err
}
