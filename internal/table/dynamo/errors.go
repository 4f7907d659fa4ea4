package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"styx/internal/table"
)

// judge says what the error of one attempt means: a *table.Refusal if another may fare better, an error of table where
// there is one for it, else err. Failed conditions are judged by who knows the operations.
func (t *Table) judge(err error) error {
	var api smithy.APIError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &api):
		return unanswered(err)
	}
	switch api.ErrorCode() {
	case "ConditionalCheckFailedException", "TransactionCanceledException":
		return err
	case "ResourceNotFoundException":
		return fmt.Errorf("table %q in %s: %w", t.name, t.where, table.ErrNoTable)
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded",
		"TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException":
		return &table.Refusal{Cause: err}
	case "ValidationException":
		if oversize(api.ErrorMessage()) {
			return fmt.Errorf("%w: %w", table.ErrTooLarge, err)
		}
	}
	if status(err) >= http.StatusInternalServerError {
		return &table.Refusal{Cause: err}
	}
	return fmt.Errorf("table %q in %s: %w", t.name, t.where, err)
}

// unanswered judges an error that is not DynamoDB's own: a connection that broke on the way there or back may do better
// the next time, a call that could not be built will not.
func unanswered(err error) error {
	var (
		send   *smithyhttp.RequestSendError
		cancel *smithy.CanceledError
		decode *smithy.DeserializationError
	)
	switch {
	case status(err) >= http.StatusInternalServerError:
		return &table.Refusal{Cause: err}
	case errors.As(err, &send), errors.As(err, &cancel), errors.As(err, &decode), status(err) == http.StatusOK,
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &table.Refusal{Cause: err, Lost: true}
	default:
		return err
	}
}

// status is the answer's HTTP status, 0 if none came.
func status(err error) int {
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// oversize recognises DynamoDB's words for what is too large; it has no code for that.
func oversize(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "size has exceeded") || strings.Contains(message, "maximum allowed size") ||
		strings.Contains(message, "exceeded the maximum")
}

// cancelled says what a cancelled transaction means: the first condition that failed, whatever else went wrong, as it
// was judged on what is stored; else a conflict or throttling.
func cancelled(err error) error {
	var c *types.TransactionCanceledException
	if !errors.As(err, &c) {
		return err
	}
	for i, reason := range c.CancellationReasons {
		if code(reason) == "ConditionalCheckFailed" {
			item, err := unmarshalOld(reason.Item)
			if err != nil {
				return err
			}
			return &table.ConditionFailed{Op: i, Item: item}
		}
	}
	for i, reason := range c.CancellationReasons {
		switch code(reason) {
		case "None":
		case "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError":
			return &table.Refusal{Cause: err}
		default:
			message := ""
			if reason.Message != nil {
				message = *reason.Message
			}
			if oversize(message) {
				return fmt.Errorf("operation %d: %w: %s", i, table.ErrTooLarge, message)
			}
			return fmt.Errorf("operation %d: %w", i, err)
		}
	}
	return err
}

func code(reason types.CancellationReason) string {
	if reason.Code == nil {
		return "None"
	}
	return *reason.Code
}
