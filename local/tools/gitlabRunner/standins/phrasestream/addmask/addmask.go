// Package addmask stands in for masking what a job adds with `proxy-exec`; the job's own masked
// variables are the runner's own affair.
package addmask

import (
	"errors"
	"io"
)

type AddMask struct{}

var errNone = errors.New("stand-in: no proxy-exec")

func New(any, ...io.Writer) (*AddMask, error) { return nil, errNone }
func (*AddMask) Get(int) io.Writer            { return nil }
func (*AddMask) Close() error                 { return errNone }
