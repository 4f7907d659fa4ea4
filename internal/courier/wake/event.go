package wake

import (
	"math"
	"strconv"
	"time"

	"styx/internal/courier"
	"styx/internal/table"
)

// Where events and records come from.
const (
	fromStream   = "aws:dynamodb"
	fromQueue    = "aws:sqs"
	fromSchedule = "aws.events"
	fromSES      = "aws.ses"
)

// event is an event of a stream, a queue or EventBridge, as far as it is read.
type event struct {
	Source  string   `json:"source"` // of EventBridge's
	Records []record `json:"Records"`
}

// record is one of a stream's or a queue's.
type record struct {
	Source string `json:"eventSource"`
	// Of a queue's.
	MessageID string `json:"messageId"`
	Body      string `json:"body"`
	// Of a stream's.
	Change struct {
		Sequence string              `json:"SequenceNumber"`
		Written  float64             `json:"ApproximateCreationDateTime"` // in seconds
		Image    map[table.Attr]attr `json:"NewImage"`
	} `json:"dynamodb"`
}

// attr is an attribute of an item; only strings and numbers are read.
type attr struct {
	S string
	N string
}

// task is a message that a record names, and how to say that it failed.
type task struct {
	message string
	item    string
}

// task is what a record asks for, and whether it asks for anything.
func (r record) task() (task, bool) {
	if r.Source == fromQueue {
		return task{message: r.Body, item: r.MessageID}, true
	}
	image := r.Change.Image
	if image[table.AttrSt].S != string(courier.Queued) || r.waits() {
		return task{}, false
	}
	// The sort key of an open message in the index is its id.
	return task{message: image[table.AttrGS].S, item: r.Change.Sequence}, true
}

// clockSkew is how far the clocks of who wrote a message, of the table and of
// the courier may be apart. The shortest pause is longer.
const clockSkew = time.Second

// waits tells whether a message was written to be sent later: whoever wrote it
// has put it on the queue. The table tells the time of a write in seconds.
func (r record) waits() bool {
	due, err := strconv.ParseInt(r.Change.Image[table.AttrExp].N, 10, 64)
	if err != nil || r.Change.Written == 0 {
		return false
	}
	written := time.UnixMilli(int64(math.Floor(r.Change.Written)) * 1000)
	return time.UnixMilli(due).After(written.Add(time.Second + clockSkew))
}
