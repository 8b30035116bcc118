// Package client opens transactions of Postgres as a user, for a server whose
// database is governed by Postern. It needs neither the compiler nor the
// project's files.
//
// Identities hold for one transaction. So there is no way here to run a
// statement without one: InTx takes the identity, opens the transaction, says
// who asks, runs the function and commits. Package pgxclient does the same with
// pgx, this one with database/sql and any driver of it that takes $1.
package client

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Client opens transactions of one datasource through one service account.
type Client struct {
	Mode Mode
	// Attempts is how often a transaction is run that ends in a serialization
	// failure (SQLSTATE 40001), which a plan that is applied can cause too. The
	// default, 1, never runs a function again; more asks for functions that may
	// run twice.
	Attempts int
}

// Openings are the statements that give a transaction its user, in the order in
// which to try them while the database answers with SQLSTATE 28000. They are
// for drivers that neither InTx nor pgxclient knows.
func (c *Client) Openings(ctx context.Context, id Identity) ([]Opening, error) {
	if !id.stated {
		return nil, ErrIdentity
	}
	if c == nil || c.Mode == nil {
		return nil, errors.New("the client has no Mode: Setting or Signed, as the datasource's identity says")
	}
	return c.Mode.openings(ctx, id)
}

// InTx runs f in a transaction as the user, and commits; when f or anything
// else fails, it rolls back. The options may be nil.
func (c *Client) InTx(ctx context.Context, db *sql.DB, opts *sql.TxOptions, id Identity, f func(*sql.Tx) error) error {
	return c.Run(ctx, id, func(o Opening) (bool, error) {
		tx, err := db.BeginTx(ctx, opts)
		if err != nil {
			return false, fmt.Errorf("beginning a transaction: %w", err)
		}
		// After a commit this does nothing.
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, o.SQL, o.Args...); err != nil {
			return false, fmt.Errorf("opening the transaction: %w", err)
		}
		if err := f(tx); err != nil {
			return true, err
		}
		if err := tx.Commit(); err != nil {
			return true, fmt.Errorf("committing: %w", err)
		}
		return true, nil
	})
}

// The SQLSTATEs that mean: another way, and: once more.
const (
	invalidAuthorization = "28000"
	serializationFailure = "40001"
)

// Run is the loop of InTx for other drivers: it calls once for each opening
// while the database refuses it, and again after a serialization failure, as
// often as Attempts says. once reports whether the transaction was opened.
func (c *Client) Run(ctx context.Context, id Identity, once func(Opening) (opened bool, err error)) error {
	attempts := 1
	if c != nil && c.Attempts > 1 {
		attempts = c.Attempts
	}
	var err error
	for range attempts {
		// Keys may have changed, and tokens expire.
		openings, failed := c.Openings(ctx, id)
		if failed != nil {
			return failed
		}
		for _, o := range openings {
			var opened bool
			if opened, err = once(o); err == nil {
				return nil
			}
			if opened || sqlState(err) != invalidAuthorization {
				break
			}
		}
		if sqlState(err) != serializationFailure || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// sqlState is the SQLSTATE of an error of pgx, lib/pq and others, "" for none.
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}
