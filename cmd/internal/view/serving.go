package view

// Serving says where a server listens.
func Serving(o Output, address string, tls bool) error {
	url := "http://" + address
	if tls {
		url = "https://" + address
	}
	if o.JSON {
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "url": url})
	}
	p := &printer{Output: o}
	p.printf("Serving at %s\n", url)
	return p.err
}
