// Package wake is how the courier is called in AWS: it reads the events that
// wake the function, and delivers what they name.
//
// It owns which event means what. A record of the table's stream is a message
// that was just written; a record of the queue, one to be tried again; the
// schedule sweeps what is due and was lost on the way; SES reports what became
// of a mail.
//
// It refuses to decide what is sent and when: [courier.Courier] does, and the
// outbox keeps it. An event that comes twice, late or never changes nothing but
// the time at which a message is sent.
package wake
