// Package courier brings messages to people: mail, text messages, and web hooks
// that nobody waits for.
//
// It owns what a message is, its sealed content, when it is tried and tried
// again, and when it is given up. A message is written by the change that
// causes it, in one transaction; [Courier.Deliver] takes it from there, woken by
// the write, by a timer or by a sweep, and however often it is woken, one at a
// time. What the message says, codes and links above all, is sealed in the
// outbox and leaves it with the write that says the message was sent.
//
// It refuses to promise that a message is sent once. A process that dies
// between a receiver's yes and the write that notes it has sent a message that
// nobody knows was sent, and the next one sends it again, once for each such
// death, under the same Message-ID. A receiver whose yes comes after the time
// for it is over gets the mail again, too.
//
// It keeps no records itself: store implements [Outbox]. Rendering and each way
// to send have a folder, so that a function which only writes messages links
// none of them.
package courier
