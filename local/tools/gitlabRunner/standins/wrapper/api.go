// Package api stands in for the protocol of the command `wrapper`, which is not among ours.
package api

import (
	"context"
	"errors"
)

type Status int

const (
	StatusUnknown Status = iota
	StatusRunning
	StatusInShutdown
	StatusStopped
)

func (Status) String() string { return "stand-in" }

var ErrProcessNotInitialized = errors.New("process not initialized")

type ShutdownCallback interface{ Run(context.Context) }

type ShutdownCallbackDef interface {
	URL() string
	Method() string
}

type InitGracefulShutdownRequest interface{ ShutdownCallbackDef() ShutdownCallbackDef }

func NewShutdownCallback(any, ShutdownCallbackDef) ShutdownCallback { return nil }
