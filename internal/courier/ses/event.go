package ses

import (
	"encoding/json"
	"slices"
	"strings"
)

// Return is what SES reports about a mail after it took it.
type Return struct {
	Message string // id of ours
	What    string // what happened, such as "Bounce: Permanent, General: smtp; 550 5.1.1 unknown"
}

// event is an event of SES, alone or as the detail of one of EventBridge.
type event struct {
	Detail *event `json:"detail"`

	EventType string `json:"eventType"`
	Mail      struct {
		Tags map[string][]string `json:"tags"`
	} `json:"mail"`
	Bounce struct {
		Type       string `json:"bounceType"`
		SubType    string `json:"bounceSubType"`
		Recipients []struct {
			Diagnosis string `json:"diagnosticCode"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		Feedback string `json:"complaintFeedbackType"`
		SubType  string `json:"complaintSubType"`
	} `json:"complaint"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
}

// ReadReturn reads an event that SES publishes: a bounce, which suppressed
// addresses have as well, a complaint, or a rejection. It returns false for any
// other event, and for one about a mail that carries no id of ours.
func ReadReturn(raw []byte) (Return, bool) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return Return{}, false
	}
	if e.Detail != nil {
		e = *e.Detail
	}
	ids := e.Mail.Tags[messageTag]
	if len(ids) != 1 {
		return Return{}, false
	}
	parts := []string{e.EventType}
	switch e.EventType {
	case "Bounce":
		parts = append(parts, e.Bounce.Type+", "+e.Bounce.SubType)
		for _, recipient := range e.Bounce.Recipients {
			parts = append(parts, recipient.Diagnosis)
		}
	case "Complaint":
		parts = append(parts, e.Complaint.Feedback, e.Complaint.SubType)
	case "Reject":
		parts = append(parts, e.Reject.Reason)
	default:
		return Return{}, false
	}
	what := strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ": ")
	return Return{Message: ids[0], What: strings.ToValidUTF8(what[:min(len(what), maxReport)], "")}, true
}

// maxReport is how many bytes of a report are kept.
const maxReport = 500
