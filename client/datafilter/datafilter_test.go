package datafilter_test

import (
	"errors"
	"testing"

	"github.com/postern-dev/postern/client/datafilter"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		records datafilter.Records
		where   string
		ucast   bool
	}{
		`{}`:                                    {datafilter.None, "WHERE false", false},
		`{"hints": []}`:                         {datafilter.None, "WHERE false", false},
		`{"result": null}`:                      {datafilter.None, "WHERE false", false},
		`{"result": {"query": ""}}`:             {datafilter.All, "WHERE true", false},
		`{"result": {"query": {}}}`:             {datafilter.All, "WHERE true", false},
		`{"result": {"query": "WHERE a = 1"}}`:  {datafilter.Some, "WHERE a = 1", false},
		`{"result": {"query": {"type": "or"}}}`: {datafilter.Some, "WHERE false", true},
	} {
		got, err := datafilter.Parse([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if got.Records != want.records || got.Where() != want.where || (got.UCAST != nil) != want.ucast {
			t.Errorf("%s: %+v, %s", body, got, got.Where())
		}
	}
}

// What is no answer lets nothing through.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `null`, `[]`, `"WHERE true"`, `{"result": {}}`, `{"result": {"query": null}}`, `{"result": {"query": "true"}}`,
		`{"result": {"query": []}}`, `{"result": {"query": {"postgresql": ""}}}`, `{"result": {"postgresql": {"query": ""}}}`,
		`{"result": ""}`, `{"code": "evaluation_error", "message": "error(s) occurred", "result": {"query": ""}}`, `{"result": {"query": ""}`,
	} {
		got, err := datafilter.Parse([]byte(body))
		if !errors.Is(err, datafilter.ErrAnswer) {
			t.Errorf("%s: the error %v", body, err)
		}
		if got.Records != datafilter.None || got.Where() != "WHERE false" {
			t.Errorf("%s: %+v", body, got)
		}
	}
}
