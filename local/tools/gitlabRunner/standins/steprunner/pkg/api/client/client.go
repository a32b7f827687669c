// Package client stands in for step-runner's requests and answers.
package client

import "time"

type Variable struct {
	Key, Value   string
	File, Masked bool
}

type RunRequest struct {
	Id, WorkDir, BuildDir, Steps string
	Timeout                      *time.Duration
	Env                          map[string]string
	Variables                    []Variable
}

type State int

const (
	StateSuccess State = iota + 1
	StateCancelled
)

func (State) String() string { return "stand-in" }

type ErrorKind int

const (
	ErrorUnknown ErrorKind = iota
	ErrorInternal
	ErrorStepFailure
	ErrorCancelled
	ErrorTimeout
)

type Status struct {
	State     State
	Message   string
	ErrorKind ErrorKind
}
