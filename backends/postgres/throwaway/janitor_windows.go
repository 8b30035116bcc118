package throwaway

// janitor does nothing on Windows: a killed process leaves its cluster behind.
type janitor struct{}

func startJanitor(string, account) (*janitor, error) { return &janitor{}, nil }

func (*janitor) dismiss() error { return nil }
