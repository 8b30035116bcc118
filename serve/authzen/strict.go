// Package authzen is the OpenID AuthZEN Authorization API 1.0 over the JSON
// engine: evaluation, evaluations, the three searches and the metadata.
// docs/serve.md says how subjects, actions, resources and contexts become
// what a project's policies speak of.
package authzen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep a request's JSON may be nested.
const maxDepth = 64

// decode reads one JSON object strictly: UTF-8, no member twice, nothing after
// it. Numbers become json.Number, so that nothing is rounded.
func decode(data []byte) (map[string]any, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	if dec.PeekKind() != jsontext.KindBeginObject {
		if _, err := dec.ReadToken(); err != nil {
			return nil, explained(err)
		}
		return nil, badRequest("", "the body must be a JSON object")
	}
	v, err := value(dec, 0)
	if err != nil {
		return nil, explained(err)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, badRequest("", "something follows the JSON object")
	}
	return v.(map[string]any), nil
}

func value(dec *jsontext.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, badRequest("", fmt.Sprintf("the JSON is nested more than %d deep", maxDepth))
	}
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case jsontext.KindNull:
		return nil, nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		return json.Number(token.String()), nil
	case jsontext.KindBeginObject:
		return object(dec, depth)
	default: // the start of an array: the decoder gives no other here
		return array(dec, depth)
	}
}

func array(dec *jsontext.Decoder, depth int) (any, error) {
	list := []any{}
	for dec.PeekKind() != jsontext.KindEndArray {
		v, err := value(dec, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := dec.ReadToken()
	return list, err
}

func object(dec *jsontext.Decoder, depth int) (any, error) {
	out := map[string]any{}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String() // a token is good until the next read
		if out[key], err = value(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.ReadToken()
	return out, err
}

// explained is a decoding error in our words.
func explained(err error) error {
	var own *requestError
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &own):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("", "the JSON ends too early")
	case errors.Is(err, jsontext.ErrDuplicateName):
		return badRequest("", "a member is there twice: "+pointer(err))
	case errors.As(err, &syntax):
		return badRequest("", fmt.Sprintf("the body is not JSON: at byte %d: %v", syntax.ByteOffset, syntax.Err))
	}
	return badRequest("", "the body is not JSON")
}

func pointer(err error) string {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return string(syntax.JSONPointer)
	}
	return ""
}

// requestError says what of a request is wrong, and where.
type requestError struct {
	status  int
	path    string // "subject.id"; "": the whole
	message string
}

func (e *requestError) Error() string {
	if e.path == "" {
		return e.message
	}
	return e.path + ": " + e.message
}

func badRequest(path, message string) *requestError {
	return &requestError{status: 400, path: path, message: message}
}

func notFound(path, message string) *requestError {
	return &requestError{status: 404, path: path, message: message}
}
