package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"

	"styx/cmd/styx/migrate"
)

// maxLine bounds the last line of an export that is gone on with, in bytes: an
// identity is at most 400 KB, and no other Kratos' export comes here.
const maxLine = 8 << 20

func exportCommand() *command {
	return &command{
		name: "export", does: "write all identities, one a line",
		about: `Each line is an identity as the admin API shows it, with the configs of all its
credentials: "styx import kratos --from FILE" makes the same identities of it
elsewhere. Password hashes, the secrets of authenticator apps and recovery codes
are among them: the file is for its owner's eyes.

Identities come in the order of their ids. --resume goes on with a file that was
interrupted, after the last whole line.`,
		examples: []string{
			"styx export --output identities.ndjson",
			"styx export --output identities.ndjson --resume",
			"styx export | gpg --encrypt -r backup@example.org > identities.ndjson.gpg",
		},
		prepare: func(flags *flag.FlagSet) action {
			target := targetFlags(flags)
			output := flags.String("output", "-", "`FILE` to write; - is standard output")
			resume := flags.Bool("resume", false, "go on with the file")
			after := flags.String("after", "", "begin after the identity of this `ID`")
			size := flags.Int("page-size", 100, "`NUMBER` of identities to ask for at a time")
			return func(ctx context.Context, c *call) error {
				if err := c.none(); err != nil {
					return err
				}
				if *resume && (*output == "-" || *after != "") {
					return misused("--resume goes with a file of --output, and without --after")
				}
				api, err := target.open(ctx, c)
				if err != nil {
					return err
				}
				if *output == "-" {
					_, err := export(ctx, api, c.out, *after, *size)
					return err
				}
				file, last, err := exportFile(*output, *resume)
				if err != nil {
					return err
				}
				if last != "" {
					*after = last
				}
				count, err := export(ctx, api, file, *after, *size)
				if err = errors.Join(err, file.Close()); err != nil {
					return fmt.Errorf("stopped after %d identities: %w; go on with --resume", count, err)
				}
				_, err = fmt.Fprintf(c.errs, "%d identities\n", count)
				return err
			}
		},
	}
}

// exportFile opens a new file or, to go on, one that is there, and returns the id
// of the last identity in it.
func exportFile(name string, resume bool) (file *os.File, last string, err error) {
	mode := os.O_RDWR | os.O_CREATE | os.O_EXCL
	if resume {
		mode = os.O_RDWR | os.O_CREATE
	}
	file, err = os.OpenFile(name, mode, 0o600) //nolint:gosec // who runs this names it
	if errors.Is(err, os.ErrExist) {
		return nil, "", fmt.Errorf("%s is there already: remove it, or go on with --resume", name)
	}
	if err != nil {
		return nil, "", err
	}
	if last, err = lastOf(file); err != nil {
		return nil, "", errors.Join(fmt.Errorf("go on with %s: %w", name, err), file.Close())
	}
	return file, last, nil
}

// lastOf cuts off the line that was not finished, leaves the file at its end and
// returns the id of the last identity, "" when there is none.
func lastOf(file *os.File) (string, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	from := max(0, size-2*maxLine)
	tail := make([]byte, size-from)
	if _, err := file.ReadAt(tail, from); err != nil {
		return "", err
	}
	whole := bytes.LastIndexByte(tail, '\n') + 1
	if whole == 0 && from > 0 {
		return "", errors.New("its last line is no identity")
	}
	if err := file.Truncate(from + int64(whole)); err != nil {
		return "", err
	}
	if _, err := file.Seek(0, io.SeekEnd); err != nil || whole == 0 {
		return "", err
	}
	line := tail[bytes.LastIndexByte(tail[:whole-1], '\n')+1 : whole]
	var one struct{ ID string }
	if err := json.Unmarshal(line, &one); err != nil || one.ID == "" {
		return "", errors.New("its last line is no identity")
	}
	return one.ID, nil
}

// export writes the identities that follow after an id, and counts them.
func export(ctx context.Context, api *api, to io.Writer, after string, size int) (count int, err error) {
	buffered := bufio.NewWriter(to)
	query := url.Values{"include_credential": names(migrate.Exported()), "page_size": {strconv.Itoa(size)}}
	if after != "" {
		query.Set("page_token", after)
	}
	err = api.walk(ctx, identitiesPath, query, func(rows []json.RawMessage, _ string) error {
		for _, row := range rows {
			var line bytes.Buffer
			if err := json.Compact(&line, row); err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			line.WriteByte('\n')
			if _, err := buffered.Write(line.Bytes()); err != nil {
				return err
			}
			count++
		}
		return buffered.Flush()
	})
	return count, err
}
