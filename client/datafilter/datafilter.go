// Package datafilter reads what OPA's Compile API answers about a data filter,
// so that "no record" is never taken for "every record".
package datafilter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Records says which records of a table a filter lets through.
type Records int

// What a filter can say; none is what a Filter says that nobody filled in.
const (
	None Records = iota
	All
	Some // those that satisfy its condition
)

// Filter is one answer.
type Filter struct {
	Records Records
	// SQL is the condition of Some as "WHERE …", where the answer is SQL; the table
	// is called "record" in it, unless the request stated another name.
	SQL string
	// UCAST is the condition of Some as JSON, where the answer is UCAST.
	UCAST json.RawMessage
}

// ErrAnswer is in every error of Parse: what was read is no answer of the Compile
// API about one target, such as an error that OPA reports.
var ErrAnswer = errors.New("no answer of the Compile API")

// Parse reads the body of an answer. With an error the filter lets nothing
// through.
func Parse(body []byte) (Filter, error) {
	var answer struct {
		Result  *struct{ Query json.RawMessage } `json:"result"`
		Code    string                           `json:"code"`
		Message string                           `json:"message"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Filter{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return Filter{}, fmt.Errorf("%w: it is no object", ErrAnswer)
	}
	if answer.Code != "" || answer.Message != "" {
		return Filter{}, fmt.Errorf("%w: %s: %s", ErrAnswer, answer.Code, answer.Message)
	}
	if answer.Result == nil {
		return Filter{}, nil
	}
	return query(answer.Result.Query)
}

func query(raw json.RawMessage) (Filter, error) {
	var sql *string
	if json.Unmarshal(raw, &sql) == nil && sql != nil {
		switch {
		case *sql == "":
			return Filter{Records: All}, nil
		case strings.HasPrefix(*sql, "WHERE "):
			return Filter{Records: Some, SQL: *sql}, nil
		}
		return Filter{}, fmt.Errorf("%w: its query is no WHERE clause", ErrAnswer)
	}
	var ucast map[string]json.RawMessage
	if json.Unmarshal(raw, &ucast) == nil && ucast != nil {
		switch {
		case len(ucast) == 0:
			return Filter{Records: All}, nil
		case ucast["type"] != nil:
			return Filter{Records: Some, UCAST: raw}, nil
		}
	}
	return Filter{}, fmt.Errorf("%w: its query is neither SQL nor UCAST", ErrAnswer)
}

// Where is the filter as a WHERE clause that may stand in any query: "WHERE
// false" and "WHERE true" where it has no condition. Of a condition that is not
// SQL it is "WHERE false".
func (f Filter) Where() string {
	switch {
	case f.Records == All:
		return "WHERE true"
	case f.Records == Some && f.SQL != "":
		return f.SQL
	}
	return "WHERE false"
}
