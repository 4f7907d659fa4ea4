package gatewaytest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// API is the HTTP API that events come from. The zero value is one with a
// $default stage on its own host, as AWS runs it.
type API struct {
	Stage       string // "" for $default; else in front of every path
	BasePath    string // of a custom domain, in front of every path; "/auth"
	Domain      string // "" for the execute-api host
	AccountID   string // "" for 000000000000
	IAM         *events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription
	CookiesIn   Cookies
	PlainBodies bool // text bodies are passed on as they are, forms too
}

// Cookies says in which member an event carries cookies.
type Cookies int

// The members: AWS fills the array, emulators the header, and both together
// must not count twice.
const (
	InArray Cookies = iota
	InHeader
	InBoth
)

// Signed is an IAM context as the AWS_IAM authorizer adds it.
func Signed() *events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription {
	return &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{
		AccessKey: "AKIDEXAMPLE",
		AccountID: "000000000000",
		CallerID:  "AIDAEXAMPLE",
		UserARN:   "arn:aws:iam::000000000000:user/operator",
		UserID:    "AIDAEXAMPLE",
	}
}

// Event is the payload-2.0 event that the API makes of a request. It reads the
// request's body. The request id is what tells the event's log line apart.
func (api API) Event(r *http.Request, requestID string) ([]byte, error) {
	stage := api.Stage
	prefix := "/" + stage
	if stage == "" {
		stage, prefix = "$default", ""
	}
	domain := or(api.Domain, "styx.execute-api.eu-central-1.amazonaws.com")
	path := prefix + api.BasePath + r.URL.Path
	event := events.APIGatewayV2HTTPRequest{
		Version:  "2.0",
		RouteKey: "$default",
		// Decoded, as an HTTP API hands it over.
		RawPath:               path,
		RawQueryString:        r.URL.RawQuery,
		Headers:               map[string]string{"host": domain, "x-forwarded-proto": "https", "x-forwarded-port": "443"},
		QueryStringParameters: map[string]string{},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     "$default",
			AccountID:    or(api.AccountID, "000000000000"),
			Stage:        stage,
			RequestID:    requestID,
			APIID:        "styx",
			DomainName:   domain,
			DomainPrefix: "styx",
			Time:         "22/Nov/2026:12:00:00 +0000",
			TimeEpoch:    1795348800000,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method:    r.Method,
				Path:      path,
				Protocol:  "HTTP/1.1",
				SourceIP:  sourceIP(r),
				UserAgent: r.UserAgent(),
			},
		},
	}
	for name, values := range r.URL.Query() {
		event.QueryStringParameters[name] = strings.Join(values, ",")
	}
	for name, values := range r.Header {
		if name != "Cookie" {
			event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	if cookies := strings.Join(r.Header["Cookie"], "; "); cookies != "" {
		if api.CookiesIn != InHeader {
			event.Cookies = strings.Split(cookies, "; ")
		}
		if api.CookiesIn != InArray {
			event.Headers["cookie"] = cookies
		}
	}
	if api.IAM != nil {
		event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{IAM: api.IAM}
	}
	if err := api.addBody(&event, r); err != nil {
		return nil, err
	}
	return json.Marshal(event)
}

// addBody reads the request's body into the event, in base64 unless its type is
// one an HTTP API takes for text. Forms are not among those.
func (api API) addBody(event *events.APIGatewayV2HTTPRequest, r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if len(body) == 0 {
		return nil
	}
	event.Headers["content-length"] = fmt.Sprint(len(body))
	kind := r.Header.Get("Content-Type")
	text := strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "application/json") || api.PlainBodies
	if text && utf8.Valid(body) {
		event.Body = string(body)
		return nil
	}
	event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	return nil
}

// Response is the HTTP response an API makes of a function's answer.
func Response(answer []byte) (*http.Response, error) {
	var from events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &from); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if from.StatusCode < 200 || from.StatusCode > 599 {
		return nil, fmt.Errorf("read answer: status %d", from.StatusCode)
	}
	body := []byte(from.Body)
	if from.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(from.Body); err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
	}
	header := make(http.Header)
	for name, value := range from.Headers {
		if strings.EqualFold(name, "set-cookie") {
			return nil, fmt.Errorf("read answer: cookie outside of cookies")
		}
		header.Set(name, value)
	}
	for _, cookie := range from.Cookies {
		header.Add("Set-Cookie", cookie)
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", from.StatusCode, http.StatusText(from.StatusCode)),
		StatusCode:    from.StatusCode,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
	}, nil
}

// sourceIP is the client's address: the request's, or one for documentation.
func sourceIP(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return "192.0.2.1"
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
