package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// populations are what is moved in, listed and moved out: whether a thing stays
// flat is seen between two sizes of one table.
var populations = []struct {
	table  string
	people int
}{
	{"file", 10_000},
	{"file", 100_000},
	{"DynamoDB", 1_000},
	{"DynamoDB", 10_000},
}

// weight is about what the traits of one identity take, in bytes.
const weight = 5 << 10

// population measures the command line and the server while many identities are
// imported, listed and exported.
func (b *bench) population(ctx context.Context) error {
	fmt.Printf("\nIdentities of %d KB each: imported, listed and exported by the command line\n\n", weight>>10)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "table\tidentities\t\tms each\tCPU ms each\tcommand's peak MB\tserver's own MB\twith mapped file MB\t")
	for i, size := range populations {
		dsn := "file://" + filepath.Join(b.out, fmt.Sprintf("people-%d.db", i))
		if size.table == "DynamoDB" {
			if b.dynamo == "" {
				continue
			}
			dsn = fmt.Sprintf("dynamodb://people-%d?endpoint=%s", i, b.dynamo)
		}
		if err := b.populate(ctx, table, size.table, dsn, size.people); err != nil {
			return err
		}
	}
	return table.Flush()
}

func (b *bench) populate(ctx context.Context, table *tabwriter.Writer, name, dsn string, people int) (err error) {
	from := filepath.Join(b.out, "people.ndjson")
	if err := writePeople(from, people); err != nil {
		return err
	}
	server, err := b.serve(ctx, hash{settings: append(cheap.settings, "IDENTITY_SCHEMAS="+heavySchemas())}, dsn)
	if err != nil {
		return err
	}
	defer server.stop()
	for _, command := range []struct {
		name      string
		arguments []string
	}{
		{"import", []string{"import", "kratos", "--from", from}},
		{"list", []string{"identities", "list", "--all", "--format", "json"}},
		{"export", []string{"export", "--output", filepath.Join(b.out, fmt.Sprintf("exported-%s-%d.ndjson", name, people))}},
	} {
		before, err := server.cpu()
		if err != nil {
			return err
		}
		run := exec.CommandContext(ctx, b.styx, append(command.arguments, "--endpoint", server.admin)...)
		var told strings.Builder
		run.Stderr = &told
		began := time.Now()
		if err := run.Run(); err != nil {
			return fmt.Errorf("styx %s: %w\n%s", command.name, err, told.String())
		}
		took := time.Since(began)
		after, err := server.cpu()
		if err != nil {
			return err
		}
		own, mapped, err := server.memory()
		if err != nil {
			return err
		}
		usage, known := run.ProcessState.SysUsage().(*syscall.Rusage)
		if !known {
			return errors.New("no figures of a process on this system")
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%.0f\t%.0f\t%.0f\t\n", name, people, command.name,
			ms(took/time.Duration(people)), ms((after-before)/time.Duration(people)),
			float64(usage.Maxrss)/1e3, float64(own)/1e6, float64(own+mapped)/1e6)
	}
	return nil
}

// writePeople writes an export of a Kratos.
func writePeople(path string, people int) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write people: %w", err)
	}
	buffered := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffered)
	source := rand.New(rand.NewPCG(1, 2)) // ids that are the same in every run
	for n := range people {
		err = errors.Join(err, encoder.Encode(map[string]any{
			"id": fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", source.Uint32(), source.IntN(1<<16), source.IntN(1<<12),
				source.IntN(1<<12), source.Int64N(1<<48)),
			"schema_id": "person", "state": "active",
			"traits": map[string]string{"email": fmt.Sprintf("person-%d@example.com", n), "about": strings.Repeat("x", weight)},
		}))
	}
	return errors.Join(err, buffered.Flush(), file.Close())
}

// heavySchemas is a configuration's list of schemas, of identities with room
// for a long text.
func heavySchemas() string {
	schema := `{"type":"object","properties":{"traits":{"type":"object","properties":{"about":{"type":"string"},` +
		`"email":{"type":"string","format":"email","ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}}}}}`
	return `[{"id":"person","url":"base64://` + base64.StdEncoding.EncodeToString([]byte(schema)) + `"}]`
}

// memory is what the server holds of its own, and what it has mapped of a file
// and could be taken from it at any time, in bytes.
func (i *instance) memory() (own, mapped int64, err error) {
	status, err := os.ReadFile(i.proc("status"))
	if err != nil {
		return 0, 0, fmt.Errorf("memory: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*int64{"RssAnon": &own, "RssFile": &mapped}[name]
		if into == nil {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("memory: %w", err)
		}
		*into = kilobytes << 10
	}
	return own, mapped, nil
}
