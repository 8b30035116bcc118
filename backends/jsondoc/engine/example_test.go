package engine_test

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/engine"
)

// moderator asks as one; in a service the claims come from a checked token.
func moderator() *engine.Request {
	return &engine.Request{
		User: map[string]any{"id": "7b0e1f2a-0000-4000-8000-000000000001", "groups": []any{"moderators"}},
		Now:  time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC),
	}
}

func player(strikes string) map[string]any {
	return map[string]any{
		"user_id": "7b0e1f2a-0000-4000-8000-000000000002", "level": "user", "strikes": json.Number(strikes),
	}
}

func load(path string) *engine.Engine {
	data, err := os.ReadFile(path) // json/policy.json of "postern build"
	if err != nil {
		log.Fatal(err)
	}
	e, err := engine.Load(data)
	if err != nil {
		log.Fatal(err)
	}
	return e
}

func ExampleEngine_Decide() {
	e := load("testdata/v2/game-backend.json")
	for _, strikes := range []string{"2", "3"} {
		fmt.Println(e.Decide(moderator(), &engine.Question{
			Datasource: "moderation", Table: "player", Action: "ban", Old: player(strikes),
		}))
	}
	// Output:
	// false
	// true
}

func ExampleSession_Filter() {
	e := load("testdata/v2/game-backend.json")
	players := []map[string]any{player("0"), player("3"), player("7")}
	fmt.Println(e.Session(moderator()).Filter("moderation", "player", "ban", players))
	// Output: [1 2]
}

func ExampleEngine_Explain() {
	e := load("testdata/v2/game-backend.json")
	x := e.Explain(moderator(), &engine.Question{
		Datasource: "moderation", Table: "player", Action: "ban", Old: player("2"),
	})
	fmt.Println(x.Reason)
	for _, p := range x.Checks[0].Policies {
		fmt.Printf("%s: for %v, holds %v\n", p.Name, p.For, p.Holds)
	}
	// Output:
	// No policy grants ban on the old record.
	// lead_moderators_ban: for false, holds true
	// moderators_ban_after_three_strikes: for true, holds false
}

func ExampleSession_Allows() {
	e := load("testdata/v2/game-backend.json")
	players, err := e.Table("moderation", "player")
	if err != nil {
		log.Fatal(err)
	}
	ban, err := players.Action("ban")
	if err != nil {
		log.Fatal(err)
	}
	level, err := engine.ColumnOf[string](players, "level")
	if err != nil {
		log.Fatal(err)
	}
	strikes, err := engine.ColumnOf[int64](players, "strikes")
	if err != nil {
		log.Fatal(err)
	}
	id, err := engine.ColumnOf[engine.UUID](players, "user_id")
	if err != nil {
		log.Fatal(err)
	}
	r := players.NewRecord()
	id.Set(r, engine.UUID{15: 2})
	level.Set(r, "user")
	strikes.Set(r, 3)
	fmt.Println(e.Session(moderator()).Allows(ban, r))
	// Output: true
}

func ExampleHolder() {
	data, err := os.ReadFile("testdata/v2/game-backend.json")
	if err != nil {
		log.Fatal(err)
	}
	var policies engine.Holder
	if err := policies.Load(data); err != nil { // again whenever the file changes
		log.Fatal(err)
	}
	fmt.Println(policies.Decide(moderator(), &engine.Question{
		Datasource: "moderation", Table: "player", Action: "mute", Old: player("0"),
	}))
	// Output: true
}
