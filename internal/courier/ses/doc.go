// Package ses hands mail to Amazon SES by its v2 API.
//
// It owns the request and what an answer means: a mail that SES rejects is
// refused for good, throttling is waited for, all else passes. The mail headers
// that SES knows over SMTP work here as well: X-SES-CONFIGURATION-SET,
// X-SES-MESSAGE-TAGS and Reply-To.
//
// It refuses to try again by itself: the outbox decides when.
package ses
