// Package di stands in for step-runner itself: it does not start.
package di

import (
	"errors"
	"log/slog"

	"gitlab.com/gitlab-org/step-runner/pkg/runner"
	"gitlab.com/gitlab-org/step-runner/proto"
)

type Container struct{}

func WithBuiltinFunc(string, runner.BuiltinFunction) func(*Container) { return func(*Container) {} }
func WithOperatorLogger(*slog.Logger) func(*Container)                { return func(*Container) {} }
func NewContainer(...func(*Container)) *Container                     { return nil }

func (*Container) StepRunnerService() (proto.StepRunnerServer, error) {
	return nil, errors.New("stand-in: no steps")
}
