package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hold is how long each request waits before it goes on, so that those sent together overlap for certain.
const hold = 5 * time.Millisecond

// Call is one request to the DynamoDB API.
type Call struct {
	Verb       string // such as "UpdateItem"
	Items      int    // keys of a batch, operations of a transaction, else 1
	Repeat     bool   // the very same request came before
	Units      Units  // what it cost, if metered
	Body       string // as it was sent
	Start, End time.Time
}

// Writes says whether the call changes items.
func (c Call) Writes() bool {
	switch c.Verb {
	case "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem":
		return true
	}
	return false
}

// Answer is what becomes of a call.
type Answer int

// The answers a script may choose.
const (
	Forward     Answer = iota // what DynamoDB says
	Drop                      // DynamoDB carries it out, then the connection breaks
	Refuse                    // the connection breaks before DynamoDB sees it
	Throttle                  // refused: too many requests
	Conflict                  // refused: another transaction is at one of the items
	Fail                      // 500
	Unprocessed               // of a batch read, the later half of the keys is left unprocessed; else Forward
	Silent                    // no answer comes; the connection stays until the client gives up
	Deny                      // refused: no permission
)

// Proxy stands between a client and a DynamoDB API. Its methods are safe for concurrent use.
type Proxy struct {
	URL string

	upstream string
	client   *http.Client
	mu       sync.Mutex
	calls    []Call
	seen     map[string]bool
	script   func(Call) Answer
	metered  bool
}

// NewProxy starts a proxy on loopback before the DynamoDB API at upstream, a URL; it ends with the test.
func NewProxy(tb testing.TB, upstream string) *Proxy {
	tb.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	p := &Proxy{upstream: upstream, client: &http.Client{Transport: transport}, seen: map[string]bool{}}
	server := httptest.NewServer(p)
	tb.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	p.URL = server.URL
	return p
}

// Script has each later call answered as script says; it is called from many goroutines at once. nil forwards all.
func (p *Proxy) Script(script func(Call) Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.script = script
}

// DropFirst is a script: the first answer to each write is lost.
func DropFirst(c Call) Answer {
	if c.Writes() && !c.Repeat {
		return Drop
	}
	return Forward
}

// Reset forgets the calls so far.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = nil
	p.seen = map[string]bool{}
}

// Calls returns the calls that have been answered, in the order of their start.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := slices.Clone(p.calls)
	slices.SortStableFunc(calls, func(a, b Call) int { return a.Start.Compare(b.Start) })
	return calls
}

// RoundTrips is how many times somebody who made all the calls so far had to wait: the length of the longest chain in
// which each call began after the one before it had ended. It means something for one request at a time.
func (p *Proxy) RoundTrips() int { return chain(p.Calls()) }

func chain(calls []Call) int {
	slices.SortStableFunc(calls, func(a, b Call) int { return a.End.Compare(b.End) })
	n := 0
	var end time.Time
	for _, c := range calls {
		if n == 0 || !c.Start.Before(end) {
			n++
			end = c.End
		}
	}
	return n
}

// ServeHTTP lets one call through, or not.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := Call{Start: time.Now()}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, call.Verb, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, "not JSON: "+err.Error(), http.StatusBadRequest)
		return
	}
	call.Items, call.Body = in.items(), string(body)
	script, metered := p.admit(&call, body)
	time.Sleep(hold)
	answer := Forward
	if script != nil {
		answer = script(call)
	}
	// Recorded before the answer goes out: who has it may count.
	answerTo := p.reply
	if metered {
		answerTo = p.measured
	}
	reply := answerTo(r, &call, in, body, answer)
	call.End = time.Now()
	p.mu.Lock()
	p.calls = append(p.calls, call)
	p.mu.Unlock()
	if reply == nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), reply.header)
	w.WriteHeader(reply.status)
	_, _ = w.Write(reply.body) // whoever has gone away gets no answer
}

// admit notes whether the call is a repeat and returns the script to follow, and whether to meter.
func (p *Proxy) admit(c *Call, body []byte) (script func(Call) Answer, metered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := c.Verb + canonical(body)
	c.Repeat = p.seen[id]
	p.seen[id] = true
	return p.script, p.metered
}

// canonical returns JSON with its members in order: clients write maps as they come.
func canonical(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return string(body)
	}
	sorted, err := json.Marshal(v)
	if err != nil {
		return string(body)
	}
	return string(sorted)
}

// request is what the proxy wants to know of a request's body.
type request struct {
	TableName      string
	Key            attributes
	ConsistentRead bool
	TransactItems  []map[string]struct { // by kind of operation, one each
		TableName string
		Key       attributes
	}
	RequestItems map[string]batch
}

type batch struct {
	Keys           []json.RawMessage
	ConsistentRead bool `json:",omitempty"`
}

func (r request) items() int {
	n := len(r.TransactItems)
	for _, b := range r.RequestItems {
		n += len(b.Keys)
	}
	return max(n, 1)
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

// reply makes the answer to a call; nil breaks the connection.
func (p *Proxy) reply(r *http.Request, c *Call, in request, body []byte, answer Answer) *reply {
	switch {
	case answer == Refuse:
		return nil
	case answer == Silent:
		<-r.Context().Done()
		return nil
	case answer == Drop:
		p.forward(r, body)
		return nil
	case answer == Throttle:
		return refusal(http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#ThrottlingException", nil)
	case answer == Deny:
		return refusal(http.StatusBadRequest, "com.amazon.coral.service#AccessDeniedException", nil)
	case answer == Fail:
		return refusal(http.StatusInternalServerError, "com.amazonaws.dynamodb.v20120810#InternalServerError", nil)
	case answer == Conflict && c.Verb == "TransactWriteItems":
		reasons := make([]map[string]string, c.Items)
		for i := range reasons {
			reasons[i] = map[string]string{"Code": "None"}
		}
		reasons[c.Items-1]["Code"] = "TransactionConflict"
		return refusal(http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", reasons)
	case answer == Conflict:
		return refusal(http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#TransactionConflictException", nil)
	case answer == Unprocessed && c.Verb == "BatchGetItem":
		return p.forwardHalf(r, in)
	default:
		return p.forward(r, body)
	}
}

func refusal(status int, kind string, reasons []map[string]string) *reply {
	message := map[string]any{"__type": kind, "message": "refused by the proxy", "Message": "refused by the proxy"}
	if reasons != nil {
		message["CancellationReasons"] = reasons
	}
	return answerJSON(status, message)
}

func answerJSON(status int, v any) *reply {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal %T: %v", v, err))
	}
	return &reply{status, http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, body}
}

// forward returns what DynamoDB says, nil if it says nothing. Whoever asked may be gone by then: DynamoDB carries out
// what it was sent.
func (p *Proxy) forward(r *http.Request, body []byte) *reply {
	out, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, p.upstream+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil
	}
	out.Header = r.Header.Clone()
	resp, err := p.client.Do(out)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil
	}
	return &reply{resp.StatusCode, resp.Header.Clone(), content}
}

// forwardHalf forwards the first half of a batch read's keys and reports the others, or the only one, as unprocessed.
func (p *Proxy) forwardHalf(r *http.Request, in request) *reply {
	first, rest := map[string]batch{}, map[string]batch{}
	for name, b := range in.RequestItems {
		half := len(b.Keys) / 2
		rest[name] = batch{b.Keys[half:], b.ConsistentRead}
		if half > 0 {
			first[name] = batch{b.Keys[:half], b.ConsistentRead}
		}
	}
	answer := map[string]any{"Responses": map[string]any{}}
	if len(first) > 0 {
		body, err := json.Marshal(map[string]any{"RequestItems": first})
		if err != nil {
			return nil
		}
		got := p.forward(r, body)
		if got == nil || got.status != http.StatusOK {
			return got
		}
		if json.Unmarshal(got.body, &answer) != nil {
			return nil
		}
	}
	answer["UnprocessedKeys"] = rest
	return answerJSON(http.StatusOK, answer)
}
