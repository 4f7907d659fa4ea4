package ses

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	netmail "net/mail"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/service"
)

// The headers that are settings of a request instead.
const (
	configurationSet = "X-Ses-Configuration-Set"
	messageTags      = "X-Ses-Message-Tags"
	replyTo          = "Reply-To"
)

// messageTag names the tag that carries a message's id into the events that SES
// reports about it.
const messageTag = "styx-message"

// Options are what a Sender needs.
type Options struct {
	Config     config.SMTP         // its sender and headers
	Getenv     func(string) string // as [service.Environment] has it
	HTTPClient *http.Client        // nil is the SDK's own
}

// Sender sends mail. It is safe for concurrent use.
type Sender struct {
	client  *sesv2.Client
	from    string
	set     *string
	replies []string
	tags    []types.MessageTag
	headers []types.MessageHeader
}

// New returns a sender. It makes no call; it fails when something needed is not
// set.
func New(o Options) (*Sender, error) {
	cfg, err := service.Environment(o.Getenv, "SESV2").Config(o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("ses: %w", err)
	}
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	s := &Sender{
		client: sesv2.NewFromConfig(cfg),
		from:   (&netmail.Address{Name: o.Config.FromName, Address: o.Config.FromAddress}).String(),
	}
	return s, s.read(o.Config.Headers)
}

// read takes the headers apart.
func (s *Sender) read(headers map[string]string) error {
	for name, value := range headers {
		value = strings.Join(strings.Fields(value), " ")
		switch http.CanonicalHeaderKey(name) {
		case configurationSet:
			s.set = &value
		case replyTo:
			s.replies = append(s.replies, value)
		case messageTags:
			for pair := range strings.SplitSeq(value, ",") {
				name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
				if !ok {
					return fmt.Errorf("courier.smtp.headers: %s must be name=value, name=value", messageTags)
				}
				s.tags = append(s.tags, types.MessageTag{Name: &name, Value: &value})
			}
		default:
			s.headers = append(s.headers, types.MessageHeader{Name: aws.String(name), Value: &value})
		}
	}
	return nil
}

// Send implements courier.Send.
func (s *Sender) Send(ctx context.Context, l *courier.Letter) error {
	text := func(data string) *types.Content {
		return &types.Content{Data: &data, Charset: aws.String("UTF-8")}
	}
	_, err := s.client.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress:     &s.from,
		ReplyToAddresses:     s.replies,
		ConfigurationSetName: s.set,
		EmailTags:            append(slices.Clone(s.tags), types.MessageTag{Name: aws.String(messageTag), Value: &l.ID}),
		Destination:          &types.Destination{ToAddresses: []string{l.To}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: text(l.Subject),
			Body:    &types.Body{Text: text(l.Text), Html: text(l.HTML)},
			Headers: s.headers,
		}},
	})
	return judge(err)
}

// judge says what an answer means for the message.
func judge(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if err == nil || !ok {
		return err
	}
	said := fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	switch api.ErrorCode() {
	case "MessageRejected", "BadRequestException":
		return &courier.RefusedError{Err: said}
	case "TooManyRequestsException", "LimitExceededException", "ThrottlingException", "Throttling":
		return &courier.ThrottledError{Err: said}
	default:
		return said
	}
}
