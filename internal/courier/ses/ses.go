package ses

import (
	"cmp"
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
	Config config.SMTP // its sender and headers
	// Getenv looks up AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_SESV2,
	// AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
	// AWS_SESSION_TOKEN, once.
	Getenv     func(string) string
	HTTPClient *http.Client // nil is the SDK's own
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
	region := cmp.Or(o.Getenv("AWS_REGION"), o.Getenv("AWS_DEFAULT_REGION"))
	who := aws.Credentials{
		AccessKeyID:     o.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: o.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    o.Getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	switch {
	case region == "":
		return nil, errors.New("ses: no region; set AWS_REGION")
	case !who.HasKeys():
		return nil, errors.New("ses: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	cfg := aws.Config{
		Region:      region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return who, nil }),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	if o.HTTPClient != nil {
		cfg.HTTPClient = o.HTTPClient
	}
	if endpoint := cmp.Or(o.Getenv("AWS_ENDPOINT_URL_SESV2"), o.Getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
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
