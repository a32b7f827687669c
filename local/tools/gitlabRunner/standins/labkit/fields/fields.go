// Package fields stands in for names of fields in the log; renamed ones keep their old names.
package fields

const (
	DurationS      = "duration_s"
	HTTPStatusCode = "status"
)

var (
	Deprecated     map[string]struct{ Standard string }
	VariantVersion map[string]int
)
