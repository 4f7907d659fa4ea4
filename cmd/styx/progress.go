package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// barWidth is how many characters a whole bar has.
const barWidth = 30

// progress tells how far something came: as a bar on a terminal, as a line now
// and then elsewhere. A nil one tells nothing.
type progress struct {
	to       io.Writer
	terminal bool
	began    time.Time
	last     time.Time
	shown    bool
	// part is the part of the whole that was read, -1 where the whole is not known.
	part func() float64
}

func newProgress(to io.Writer, part func() float64) *progress {
	now := time.Now()
	return &progress{to: to, terminal: isTerminal(to), began: now, last: now, part: part}
}

func unknownPart() float64 { return -1 }

func isTerminal(to io.Writer) bool {
	file, ok := to.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) tell(t tally) {
	now, pause := time.Now(), quietTime
	if p.terminal {
		pause = progressTime
	}
	if now.Sub(p.last) < pause {
		return
	}
	p.last = now
	line := fmt.Sprintf("%d read, %d imported, %d already there, %d not (%.0f/s)",
		t.Read, t.Imported, t.AlreadyThere, t.Failed+t.Conflicting, float64(t.Read)/now.Sub(p.began).Seconds())
	if part := p.part(); part >= 0 {
		full := int(min(part, 1) * barWidth)
		line = fmt.Sprintf("[%s%s] %3.0f %%  %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), part*100, line)
	}
	if !p.terminal {
		_, _ = fmt.Fprintln(p.to, line)
		return
	}
	p.clear()
	_, _ = io.WriteString(p.to, line)
	p.shown = true
}

// clear takes the bar away, so that something else can be said.
func (p *progress) clear() {
	if p.shown {
		_, _ = io.WriteString(p.to, "\r\x1b[K")
		p.shown = false
	}
}

func (p *progress) done() { p.clear() }

// meter counts the bytes that are read.
type meter struct {
	from io.Reader
	read atomic.Int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	m.read.Add(int64(n))
	return n, err
}
