// Package pgxclient opens transactions as a user with pgx.
package pgxclient

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/client"
)

// Beginner is a *pgx.Conn or a *pgxpool.Pool.
type Beginner interface {
	BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error)
}

// InTx runs f in a transaction as the user, and commits; when f or anything
// else fails, it rolls back.
func InTx(ctx context.Context, c *client.Client, db Beginner, opts pgx.TxOptions, id client.Identity, f func(pgx.Tx) error) error {
	return c.Run(ctx, id, func(o client.Opening) (bool, error) {
		tx, err := db.BeginTx(ctx, opts)
		if err != nil {
			return false, fmt.Errorf("beginning a transaction: %w", err)
		}
		// After a commit this does nothing.
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		if _, err := tx.Exec(ctx, o.SQL, o.Args...); err != nil {
			return false, fmt.Errorf("opening the transaction: %w", err)
		}
		if err := f(tx); err != nil {
			return true, err
		}
		if err := tx.Commit(ctx); err != nil {
			return true, fmt.Errorf("committing: %w", err)
		}
		return true, nil
	})
}
