package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"styx/cmd/styx/migrate"
)

const (
	// maxBatch and maxBatchBytes bound what is sent at a time. The API takes 1000
	// identities and 5 MB; fewer keep a function below the 29 s it has, and what is
	// asked about a batch in one URL below what API Gateway takes.
	maxBatch      = 100
	maxBatchBytes = 3 << 20
	// How often progress is told: on a terminal, and elsewhere.
	progressTime = 200 * time.Millisecond
	quietTime    = 10 * time.Second
)

// source hands over identities from a position on, "" for the beginning. The last
// of every few comes with the position after it; the others with "". An error
// that comes with an identity is about that one alone.
type source func(ctx context.Context, from string, each func(record migrate.Record, failed error, position string) error) error

// tally is what an import came to.
type tally struct {
	Read         int `json:"read"`
	Imported     int `json:"imported"`
	AlreadyThere int `json:"already_there"`
	Conflicting  int `json:"conflicting"`
	Failed       int `json:"failed"`
	// Lost counts what could not be brought along, by what it is.
	Lost map[string]int `json:"lost,omitempty"`
}

var tallyColumns = columns{
	{"READ", []string{"read"}},
	{"IMPORTED", []string{"imported"}},
	{"ALREADY THERE", []string{"already_there"}},
	{"CONFLICTING", []string{"conflicting"}},
	{"FAILED", []string{"failed"}},
	{"LOST", []string{"lost"}},
}

// moving are the flags of an import.
type moving struct {
	target     *target
	format     *choice
	checkpoint string
	batch      int
}

func movingFlags(flags *flag.FlagSet) *moving {
	m := &moving{target: targetFlags(flags), format: formatFlag(flags)}
	flags.StringVar(&m.checkpoint, "checkpoint", "", "`FILE` that remembers how far it came, to go on from there")
	flags.IntVar(&m.batch, "batch", maxBatch, fmt.Sprintf("`NUMBER` of identities to send at a time, up to %d", maxBatch))
	return m
}

func (m *moving) check(c *call) error {
	if m.batch < 1 || m.batch > maxBatch {
		return misused("--batch is a number from 1 to %d", maxBatch)
	}
	return c.none()
}

// importer moves identities in.
type importer struct {
	api        *api
	errs       io.Writer
	from       string // names the source, for the checkpoint
	checkpoint string
	tally      tally
	progress   *progress

	waiting []migrate.Create
	weight  int  // of waiting, in bytes
	broken  bool // the API did not take what waits
}

// run imports all that the source has, and tells what it came to.
func (m *moving) run(ctx context.Context, c *call, name string, from source, progress *progress) error {
	api, err := m.target.open(ctx, c)
	if err != nil {
		return err
	}
	i := &importer{api: api, errs: c.errs, from: name, checkpoint: m.checkpoint, progress: progress}
	i.tally.Lost = map[string]int{}
	position, err := i.resume()
	if err != nil {
		return err
	}
	stopped := from(ctx, position, func(record migrate.Record, failed error, position string) error {
		return i.take(ctx, record, failed, position)
	})
	if !i.broken && ctx.Err() == nil {
		stopped = errors.Join(stopped, i.flush(ctx, "")) // what was read before a mistake, too
	}
	i.progress.done()
	if err := (printer{c.out, m.format.value, tallyColumns}).tell(i.tally); err != nil {
		return err
	}
	if stopped != nil {
		return fmt.Errorf("stopped: %w; run it again to go on", stopped)
	}
	if m.checkpoint != "" {
		if err := os.Remove(m.checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) { //nolint:gosec // who runs this names it
			return fmt.Errorf("remove the checkpoint: %w", err)
		}
	}
	if i.tally.Failed+i.tally.Conflicting > 0 {
		return errReported
	}
	return nil
}

// take adds an identity to those that wait, and sends them when the source can be
// gone on with from here, or when they are many.
func (i *importer) take(ctx context.Context, record migrate.Record, failed error, position string) error {
	i.tally.Read++
	if failed != nil {
		i.tally.Failed++
		i.say(fmt.Sprintf("no. %d", i.tally.Read), failed.Error())
	} else {
		for _, lost := range record.Lost {
			i.tally.Lost[lost]++
		}
		raw, err := json.Marshal(record.Create)
		if err != nil {
			return fmt.Errorf("encode an identity: %w", err)
		}
		i.waiting, i.weight = append(i.waiting, record.Create), i.weight+len(raw)
	}
	if position == "" && i.weight < maxBatchBytes {
		return nil
	}
	return i.flush(ctx, position)
}

// flush sends those that wait and remembers the position. Those for which the API
// is busy are sent again a little later.
func (i *importer) flush(ctx context.Context, position string) error {
	left, wait := i.waiting, firstWait
	for n := 0; len(left) > 0; n++ {
		var err error
		if n > 0 {
			err = pause(ctx, wait)
			wait *= 2
		}
		if err == nil {
			left, err = i.send(ctx, left)
		}
		if err == nil && len(left) > 0 && n+1 == tries {
			err = fmt.Errorf("the API is too busy for %d identities, %s among them", len(left), left[0].ID)
		}
		if err != nil {
			i.broken = true
			return err
		}
	}
	i.waiting, i.weight = i.waiting[:0], 0
	i.progress.tell(i.tally)
	if position == "" {
		return nil
	}
	return i.remember(position)
}

// batchAnswer is what the API says about a batch.
type batchAnswer struct {
	Identities []struct {
		Action string
		Error  struct {
			Code            int
			Reason, Message string
		}
	}
}

// send makes identities. The API keeps their ids, so to send them twice makes
// nobody twice; it returns those that are left to be sent again. Where it refuses
// a batch as a whole, each half is sent on its own: one that is malformed stands
// in nobody's way.
func (i *importer) send(ctx context.Context, some []migrate.Create) (left []migrate.Create, err error) {
	type entry struct {
		Create migrate.Create `json:"create"`
	}
	body := struct {
		Identities []entry `json:"identities"`
	}{}
	for _, one := range some {
		body.Identities = append(body.Identities, entry{one})
	}
	raw, _, err := i.api.do(ctx, http.MethodPatch, identitiesPath, url.Values{"keep_ids": {"true"}}, body, true)
	switch status := statusOf(err); {
	case err == nil:
	case status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge:
		return nil, err
	case len(some) == 1:
		i.tally.Failed++
		i.say(some[0].ID, err.Error())
		return nil, nil
	default:
		for _, half := range [][]migrate.Create{some[:len(some)/2], some[len(some)/2:]} {
			more, err := i.send(ctx, half)
			if err != nil {
				return nil, err
			}
			left = append(left, more...)
		}
		return left, nil
	}
	var answer batchAnswer
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Identities) != len(some) {
		return nil, errors.New("the answer to a batch is not about what was sent")
	}
	return i.count(ctx, some, answer)
}

// count adds up what became of a batch, and returns those for which the API was
// busy. Of two that want the same, the API does not say whether they are the same:
// who is there under that very id is.
func (i *importer) count(ctx context.Context, some []migrate.Create, answer batchAnswer) (left []migrate.Create, err error) {
	var taken []string
	reasons := map[string]string{}
	for at, result := range answer.Identities {
		id, failure := some[at].ID, result.Error
		why := legible(cmp.Or(failure.Reason, failure.Message))
		switch {
		case result.Action == "create":
			i.tally.Imported++
		case failure.Code == http.StatusConflict:
			taken = append(taken, id)
			reasons[id] = why
		case busy(failure.Code):
			left = append(left, some[at])
		case failure.Code >= http.StatusInternalServerError:
			return nil, fmt.Errorf("the API fails at %s: %s", id, why)
		default:
			i.tally.Failed++
			i.say(id, why)
		}
	}
	if len(taken) == 0 {
		return left, nil
	}
	rows, err := i.there(ctx, taken)
	if err != nil {
		return nil, err
	}
	for _, id := range taken {
		if rows[id] {
			i.tally.AlreadyThere++
			continue
		}
		i.tally.Conflicting++
		i.say(id, reasons[id])
	}
	return left, nil
}

// there tells which identities exist.
func (i *importer) there(ctx context.Context, ids []string) (map[string]bool, error) {
	found := map[string]bool{}
	err := i.api.walk(ctx, identitiesPath, url.Values{"ids": ids}, func(rows []json.RawMessage, _ string) error {
		for _, row := range rows {
			var one struct{ ID string }
			if err := json.Unmarshal(row, &one); err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			found[one.ID] = true
		}
		return nil
	})
	return found, err
}

func (i *importer) say(whom, what string) {
	i.progress.clear()
	_, _ = fmt.Fprintf(i.errs, "%s: %s\n", whom, what)
}

// checkpoint is how far an import came.
type checkpoint struct {
	From     string `json:"from"`
	Position string `json:"position"`
	Tally    tally  `json:"tally"`
}

// resume reads the checkpoint, if there is one.
func (i *importer) resume() (position string, err error) {
	if i.checkpoint == "" {
		return "", nil
	}
	raw, err := os.ReadFile(i.checkpoint)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	var last checkpoint
	if err == nil {
		err = json.Unmarshal(raw, &last)
	}
	if err != nil {
		return "", fmt.Errorf("read the checkpoint: %w", err)
	}
	if last.From != i.from {
		return "", fmt.Errorf("the checkpoint %s is of an import from %s", i.checkpoint, last.From)
	}
	if i.tally = last.Tally; i.tally.Lost == nil {
		i.tally.Lost = map[string]int{}
	}
	return last.Position, nil
}

// remember writes the checkpoint: all of it or nothing, whenever it is stopped.
func (i *importer) remember(position string) error {
	if i.checkpoint == "" {
		return nil
	}
	raw, err := json.Marshal(checkpoint{i.from, position, i.tally})
	if err != nil {
		return fmt.Errorf("encode the checkpoint: %w", err)
	}
	return replaceFile(i.checkpoint, raw)
}

// replaceFile writes a file of the owner's own in one step.
func replaceFile(name string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".styx-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = io.Copy(file, bytes.NewReader(data))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(file.Name()))
	}
	return nil
}
