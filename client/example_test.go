package client_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/client"
)

// A server serves ann: her transaction sees her notes, and those of nobody.
func ExampleClient_InTx() {
	ctx := context.Background()
	server, err := throwaway.Start(ctx, throwaway.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = server.Stop() }()
	url, err := notes(ctx, server, "postgres", "example", "setting") // a project applied
	if err != nil {
		fmt.Println(err)
		return
	}

	db, err := sql.Open("pgx", url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = db.Close() }()
	c := &client.Client{Mode: client.Setting{}, Attempts: 3}

	// For each request, with the claims of credentials that were checked:
	user := client.User(map[string]any{"id": "ann"})
	err = c.InTx(ctx, db, nil, user, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT id, owner FROM notes ORDER BY id")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id int
			var owner string
			if err := rows.Scan(&id, &owner); err != nil {
				return err
			}
			fmt.Println(id, owner)
		}
		return rows.Err()
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1 ann
	// 3 nobody
}
