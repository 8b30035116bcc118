// Package throwaway starts Postgres clusters that exist for the length of a
// test or a demo and leave nothing behind.
//
// A cluster lives in a temporary directory of its own, listens on 127.0.0.1
// only, asks every login for its password (SCRAM-SHA-256), and runs without
// fsync: it is fast and must never hold data that anybody wants to keep.
//
// Postgres refuses to run as root. When the calling process is root, initdb
// and postgres run as the user "postgres" where there is one, else as "nobody".
//
// # Life and death
//
// A server ends with the process that started it, however that process ends:
//
//   - Stop ends it and removes its directory;
//   - on Linux the kernel interrupts it when its parent dies
//     (PR_SET_PDEATHSIG). That signal is tied to the operating-system thread
//     that started the child, so each server is started and awaited on one
//     locked thread that lives exactly as long as the server;
//   - on every Unix a small shell (the janitor) holds the read end of a pipe
//     whose write end only the parent has. When the parent is gone the pipe
//     closes, and the janitor ends the server and removes its directory.
//
// # Speed
//
// initdb runs once for each Postgres build and user. Its result is kept as a
// template under the user's cache directory (root: /var/cache/postern) and is
// copied for each start, on Linux into memory (/dev/shm) where that has 2 GiB
// free and TMPDIR is not set.
package throwaway
