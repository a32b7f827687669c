// Package runner stands in for what step-runner hands its own steps.
package runner

import (
	"context"
	"io"
	"time"

	"gitlab.com/gitlab-org/step-runner/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

type Kind int

const KindString Kind = 0

type BuiltinContext interface {
	GetEnvs() map[string]string
	GetInput(string, Kind) (*structpb.Value, error)
	GetJobVars() map[string]*structpb.Value
	GracefulExitDelay() time.Duration
	ListenCancel(context.Context) (context.Context, context.CancelFunc)
	Pipe() (io.Writer, io.Writer)
	WorkDir() string
}

type BuiltinResult struct{}

type BuiltinFunction interface {
	Spec() *proto.Spec
	Run(context.Context, BuiltinContext) (BuiltinResult, error)
}
