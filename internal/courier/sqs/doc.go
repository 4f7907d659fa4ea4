// Package sqs puts messages that are to be tried again on an Amazon SQS queue.
//
// It owns the request: the id of a message, and how long the queue holds it
// back.
//
// It refuses to be the outbox. A queue that loses an id delays its message until
// the next sweep.
package sqs
