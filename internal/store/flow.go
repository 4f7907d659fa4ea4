package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/table"
	"styx/internal/ui"
)

// done is the status of a completed flow.
const done = "done"

func (s *Store) readFlow(item *table.Item, kind flow.Kind) (*flow.Flow, error) {
	if item == nil {
		return nil, fault.Missing()
	}
	found := new(flow.Flow)
	if err := decode(item, found); err != nil {
		return nil, err
	}
	if found.Kind != kind {
		return nil, fault.Missing()
	}
	if err := s.unseal(found); err != nil {
		return nil, err
	}
	found.V, found.Stored, found.Done = item.V, item.Doc, item.St == done
	return found, nil
}

func (s *Store) flowItem(f *flow.Flow) (table.Item, error) {
	sealed, err := s.seal(f)
	if err != nil {
		return table.Item{}, err
	}
	document, err := encode(sealed, f.Stored)
	if err != nil {
		return table.Item{}, fmt.Errorf("encode flow: %w", err)
	}
	return table.Item{
		Key: key(flows, f.ID), Doc: document, V: f.V + 1, DV: documentVersion,
		Exp: f.ExpiresAt.UnixMilli(), TTL: s.ttl(f.ExpiresAt, flowGrace),
	}, nil
}

// confidence is what a flow seals: what methods remember, a form that shows a
// secret, and the URL of a link that holds one.
type confidence struct {
	Form       *ui.Form                   `json:"form,omitempty"`
	Kept       map[string]json.RawMessage `json:"kept,omitempty"`
	RequestURL string                     `json:"request_url,omitempty"`
}

// seal returns the flow as it is stored.
func (s *Store) seal(f *flow.Flow) (*flow.Flow, error) {
	bare := *f
	bare.Sealed = ""
	hidden := confidence{Kept: f.Kept}
	if f.Private {
		hidden.Form, bare.UI = &f.UI, ui.Form{}
	}
	if strings.Contains(f.RequestURL, "token=") {
		hidden.RequestURL, bare.RequestURL = f.RequestURL, ""
	}
	if hidden.Form == nil && len(hidden.Kept) == 0 && hidden.RequestURL == "" {
		return &bare, nil
	}
	plain, err := json.Marshal(hidden)
	if err != nil {
		return nil, fmt.Errorf("seal flow: %w", err)
	}
	bare.Sealed = s.Ring.Seal(secret.UseSeal, plain, flowSeal(f.ID))
	return &bare, nil
}

// unseal restores what seal hid.
func (s *Store) unseal(f *flow.Flow) error {
	if f.Sealed == "" {
		return nil
	}
	plain, err := s.Ring.Open(secret.UseSeal, f.Sealed, flowSeal(f.ID))
	if err != nil {
		return fmt.Errorf("open flow: %w", err)
	}
	var hidden confidence
	if err := json.Unmarshal(plain, &hidden); err != nil {
		return fmt.Errorf("open flow: %w", err)
	}
	f.Sealed, f.Kept = "", hidden.Kept
	if hidden.Form != nil {
		f.UI = *hidden.Form
	}
	if hidden.RequestURL != "" {
		f.RequestURL = hidden.RequestURL
	}
	return nil
}

// flowSeal ties what a flow seals to its item and field.
func flowSeal(id string) string { return tenant + "|" + flows + id + "|sealed" }

// Flow returns the flow of that kind and id, expired or not, or a NotFound fault.
func (s *Store) Flow(ctx context.Context, kind flow.Kind, id string) (*flow.Flow, error) {
	id, ok := parse(id)
	if !ok {
		return nil, fault.Missing()
	}
	items, err := s.Table.Get(ctx, key(flows, id))
	if err != nil {
		return nil, fmt.Errorf("read flow: %w", err)
	}
	return s.readFlow(items[0], kind)
}

// SaveFlow writes a flow's form. Two tabs may race: the last one's form stays,
// but a completed flow is never opened again. How often the flow was guessed at
// stays: a form that is shown again for another reason must not bring new guesses.
func (s *Store) SaveFlow(ctx context.Context, f *flow.Flow) error {
	item, err := s.flowItem(f)
	if err != nil {
		return err
	}
	var c commit
	c.add(nil, table.Update(item.Key, setFlow(item), table.Not(table.Is(table.AttrSt, done)), writable))
	return c.write(ctx, s.Table)
}

// setFlow writes a flow as it is now. How often it was guessed at is kept, because
// a guess that runs beside this write must count.
func setFlow(item table.Item) []table.Change {
	return []table.Change{
		table.Set(table.AttrDoc, item.Doc), table.Set(table.AttrV, item.V), table.Set(table.AttrDV, item.DV),
		table.Set(table.AttrExp, item.Exp), table.Set(table.AttrTTL, item.TTL),
	}
}

// Change is what a submission changes, all of it or nothing.
type Change struct {
	Flow    *flow.Flow // nil: no flow changes
	Consume bool       // completes the flow, of which there is one winner
	Same    bool       // what the flow says stays as it is stored
	Fresh   bool       // what was sent before is void: guesses start anew

	Who *identity.Identity // nil: nobody changed
	// Session is one that begins, or that goes on changed.
	Session *session.Session
	// Alone ends every other session of Who, which is written for it.
	Alone bool
	Once  *flow.Once // a number of Who's that has to rise

	Mail []*courier.Message
	// To are the addresses that messages go to: so many may go to each, whoever asks.
	// Unasked are those of messages that follow from something else. They count
	// apart: how often a stranger may ask must not tell what an owner did.
	To, Unasked []identity.Address

	New []*flow.Flow // that begin with this change
	// Parked is a parked submission that this one goes on with, "" for none.
	Parked string
	// Stranger writes as much for nobody as Who would be.
	Stranger bool
}

// Commit stores a change. ErrConsumed says that another submission completed
// the flow first, a TakenError that a name belongs to another identity. A lost
// race for anything else is for Again to decide anew.
func (s *Store) Commit(ctx context.Context, change Change) error {
	var c commit
	for _, put := range []func(*commit, Change) error{
		s.putFlow, s.putWho, s.putOnce, s.putStranger, s.putNew, s.putParked, s.putPaid,
	} {
		if err := put(&c, change); err != nil {
			return err
		}
	}
	if len(c.ops) == 0 {
		return nil
	}
	return c.write(ctx, s.Table)
}

// putWho adds the writes of an identity and of its session.
func (s *Store) putWho(c *commit, change Change) error {
	if change.Alone {
		change.Who.Epoch++
		if change.Session != nil {
			change.Session.Epoch = change.Who.Epoch
		}
	}
	if change.Who != nil {
		if err := s.putIdentity(c, change.Who); err != nil {
			return err
		}
	}
	if change.Session != nil {
		return s.putSession(c, change.Session)
	}
	return nil
}

// onceLife is how long a number that may only rise is remembered: longer than
// any value counts that could come again.
const onceLife = 24 * time.Hour

// putOnce adds the write of a number that has to be above the last of its name.
func (s *Store) putOnce(c *commit, change Change) error {
	once := change.Once
	if once == nil {
		return nil
	}
	expires := s.Now().Add(onceLife)
	c.add(once.Used, table.Update(onceKey(once.Identity, once.Name), []table.Change{
		table.Set(table.AttrN, once.To), table.Set(table.AttrExp, expires.UnixMilli()), table.Set(table.AttrTTL, s.ttl(expires, 0)),
	}, table.Less(table.AttrN, once.To)))
	return nil
}

// likeIdentity is about how large an identity's document is.
const likeIdentity = 1 << 10

// putStranger adds a write that costs what one of an identity costs.
func (s *Store) putStranger(c *commit, change Change) error {
	if !change.Stranger {
		return nil
	}
	expires := s.Now().Add(time.Minute)
	c.add(nil, table.Put(table.Item{
		Key: key(counters, secret.NewV4(s.Rand).String()), Doc: []byte(`"` + strings.Repeat("-", likeIdentity) + `"`),
		DV: documentVersion, Exp: expires.UnixMilli(), TTL: s.ttl(expires, 0),
	}))
	return nil
}

// putFlow adds the write of a flow that was read before.
func (s *Store) putFlow(c *commit, change Change) error {
	if change.Flow == nil {
		return nil
	}
	item, err := s.flowItem(change.Flow)
	if err != nil {
		return err
	}
	set := []table.Change{table.Set(table.AttrV, item.V)}
	if !change.Same {
		set = setFlow(item)
	}
	when := []table.Cond{table.Exists(), table.Not(table.Is(table.AttrSt, done)), writable}
	if change.Consume {
		set = append(set, table.Set(table.AttrSt, done))
		when = append(when, table.Is(table.AttrV, change.Flow.V), table.More(table.AttrExp, s.Now().UnixMilli()))
	}
	if change.Fresh {
		set = append(set, table.Unset(table.AttrN))
	}
	c.addJudged(func(found *table.Item) error {
		if change.Consume && found != nil && found.St != done && found.Exp > s.Now().UnixMilli() {
			return errRace // it only changed: it may still be completed
		}
		return ErrConsumed
	}, table.Update(item.Key, set, when...))
	return nil
}

// putPaid adds the writes that count the messages to addresses.
func (s *Store) putPaid(c *commit, change Change) error {
	for _, to := range change.To {
		s.charge(c, mailTo+identity.VerifiableGuard(to.Via, to.Value), sends)
	}
	for _, to := range change.Unasked {
		s.charge(c, mailUnasked+identity.VerifiableGuard(to.Via, to.Value), sends)
	}
	return nil
}

// putNew adds the writes of flows that begin, and of mail.
func (s *Store) putNew(c *commit, change Change) error {
	for _, f := range change.New {
		item, err := s.flowItem(f)
		if err != nil {
			return err
		}
		c.add(errRace, table.Put(item, table.Absent()))
	}
	for _, m := range change.Mail {
		if err := s.putMessage(c, m); err != nil {
			return err
		}
	}
	return nil
}
