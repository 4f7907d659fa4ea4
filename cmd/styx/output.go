package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"
)

func formatFlag(flags *flag.FlagSet) *choice {
	return choose(flags, "format", "`FORMAT` of what is printed", "table", "json", "yaml")
}

// columns say what a table shows of a row: a title, and the members that the
// cell is the first of to be there. A member may be a path, as "traits.email".
type columns []column

type column struct {
	title   string
	members []string
}

// printer prints documents of the API. In a list there may be any number of
// them: it holds none.
type printer struct {
	to     io.Writer
	format string
	columns
}

// one prints a document.
func (p printer) one(row json.RawMessage) error {
	switch p.format {
	case "json":
		var b bytes.Buffer
		if err := json.Indent(&b, row, "", "  "); err != nil {
			return fmt.Errorf("print the answer: %w", err)
		}
		_, err := fmt.Fprintln(p.to, b.String())
		return err
	case "yaml":
		text, err := asYAML(row)
		if err == nil {
			_, err = io.WriteString(p.to, text)
		}
		return err
	}
	cells, err := p.cells(row)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.to, 0, 0, 2, ' ', 0)
	for at, column := range p.columns {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", column.title, cells[at])
	}
	return w.Flush()
}

// rows is a list that is being printed.
type rows struct {
	printer

	name   string
	titled bool
	count  int
}

// begin begins a list with that name.
func (p printer) begin(name string) *rows { return &rows{printer: p, name: name} }

// add prints some more rows. A table's cells are aligned among those.
func (r *rows) add(some []json.RawMessage) error {
	w := tabwriter.NewWriter(r.to, 0, 0, 2, ' ', 0)
	if r.format == "table" && !r.titled {
		r.titled = true
		titles := make([]string, len(r.columns))
		for at, column := range r.columns {
			titles[at] = column.title
		}
		_, _ = fmt.Fprintln(w, strings.Join(titles, "\t"))
	}
	for _, row := range some {
		if err := r.row(w, row); err != nil {
			return err
		}
		r.count++
	}
	return w.Flush()
}

func (r *rows) row(table io.Writer, row json.RawMessage) error {
	switch r.format {
	case "json":
		var b bytes.Buffer
		if err := json.Indent(&b, row, "    ", "  "); err != nil {
			return fmt.Errorf("print the answer: %w", err)
		}
		before := ",\n    "
		if r.count == 0 {
			before = fmt.Sprintf("{\n  %q: [\n    ", r.name)
		}
		_, err := io.WriteString(r.to, before+b.String())
		return err
	case "yaml":
		text, err := asYAML(row)
		if err != nil {
			return err
		}
		if r.count == 0 {
			text = r.name + ":\n" + item(text)
		} else {
			text = item(text)
		}
		_, err = io.WriteString(r.to, text)
		return err
	}
	cells, err := r.cells(row)
	if err == nil {
		_, err = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return err
}

// item makes an item of a YAML list out of a document.
func item(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return "- " + strings.Join(lines, "\n  ") + "\n"
}

// end ends the list; next is the token of the page that follows, "" for none.
func (r *rows) end(next string) (err error) {
	switch r.format {
	case "json":
		begun := "\n  ]"
		if r.count == 0 {
			begun = fmt.Sprintf("{\n  %q: []", r.name)
		}
		_, err = fmt.Fprintf(r.to, "%s,\n  \"next_page_token\": %q\n}\n", begun, next)
	case "yaml":
		if r.count == 0 {
			_, err = fmt.Fprintf(r.to, "%s: []\n", r.name)
		}
		if err == nil {
			_, err = fmt.Fprintf(r.to, "next_page_token: %q\n", next)
		}
	default:
		if next != "" {
			_, err = fmt.Fprintf(r.to, "\nThere are more: --page-token %s, or --all\n", next)
		}
	}
	return err
}

// cells reads what a table shows of a row.
func (cs columns) cells(row json.RawMessage) ([]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(row))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	cells := make([]string, len(cs))
	for at, column := range cs {
		for _, member := range column.members {
			if cells[at] = cell(document, strings.Split(member, ".")); cells[at] != "" {
				break
			}
		}
	}
	return cells, nil
}

// cell is the text of a member. Where the path crosses a list, it is that of
// each of its items; of an object it is its names.
func cell(value any, path []string) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []any:
		var all []string
		for _, one := range v {
			if text := cell(one, path); text != "" {
				all = append(all, text)
			}
		}
		return strings.Join(all, ", ")
	case map[string]any:
		if len(path) > 0 {
			return cell(v[path[0]], path[1:])
		}
		raw, _ := json.Marshal(v) // it was JSON before
		return string(raw)
	case string:
		return strings.Map(printable, v)
	default:
		return fmt.Sprint(v)
	}
}

// legible is what an answer says, in lines.
func legible(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return printable(r)
	}, text)
}

// printable keeps what somebody typed into a profile from steering the terminal
// of who administers it.
func printable(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return '�'
	}
	return r
}

// asYAML prints JSON as YAML, members in their order.
func asYAML(raw json.RawMessage) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil { // JSON is YAML
		return "", fmt.Errorf("print the answer: %w", err)
	}
	block(&document)
	var b strings.Builder
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return "", fmt.Errorf("print the answer: %w", err)
	}
	return b.String(), encoder.Close()
}

// block lays out in lines what JSON has in braces. A text keeps its quotes only
// where it would else be something other than a text.
func block(node *yaml.Node) {
	node.Style = 0
	for _, part := range node.Content {
		block(part)
	}
}

// tell prints a value of our own.
func (p printer) tell(value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return p.one(raw)
}
