package notify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Letter is an event that could not be delivered: a line of a dead-letter file.
type Letter struct {
	Failed time.Time       `json:"failed"` // UTC
	Reason string          `json:"reason"`
	ID     string          `json:"id"`
	Event  json.RawMessage `json:"event"`
}

// Bury adds a letter to a dead-letter file, which only its owner may read: it
// may tell who can see what.
func Bury(path string, l Letter) error {
	line, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("writing the dead-letter file: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing the dead-letter file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing the dead-letter file: %w", err)
	}
	_, err = f.Write(append(line, '\n')) // one write, so that lines of two processes do not mix
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the dead-letter file: %w", err)
	}
	return nil
}

// maxLine bounds a line of a dead-letter file.
const maxLine = 4 << 20

// Resend takes the letters out of a dead-letter file and hands each to send;
// those that fail again are put back. It returns how many were delivered and how
// many are left. A file that is not there holds none.
func Resend(path string, send func(Letter) error) (sent, left int, err error) {
	// Taken away under another name first, so that a run that fails meanwhile
	// writes a new file and nothing is lost.
	taken := path + ".resending"
	if _, err := os.Stat(taken); err == nil {
		return 0, 0, fmt.Errorf("%s is there: another resend is under way, or was ended; put its lines back into %s", taken, path)
	}
	if err := os.Rename(path, taken); errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	} else if err != nil {
		return 0, 0, fmt.Errorf("reading the dead-letter file: %w", err)
	}
	data, err := os.ReadFile(filepath.Clean(taken))
	if err != nil {
		return 0, 0, fmt.Errorf("reading the dead-letter file: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		var l Letter
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.ID == "" {
			return sent, left, fmt.Errorf("line %d of %s is no undelivered event; what is not delivered stays there", n, taken)
		}
		if failure := send(l); failure != nil {
			l.Reason, l.Failed = failure.Error(), time.Now().UTC()
			if err := Bury(path, l); err != nil {
				return sent, left, err
			}
			left++
			continue
		}
		sent++
	}
	if err := lines.Err(); err != nil {
		return sent, left, fmt.Errorf("reading the dead-letter file: %w", err)
	}
	if err := os.Remove(taken); err != nil {
		return sent, left, fmt.Errorf("removing what was delivered: %w", err)
	}
	return sent, left, nil
}
