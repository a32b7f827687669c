// Package proto stands in for the protocol of step-runner.
package proto

import "google.golang.org/grpc"

type ValueType int

const ValueType_string ValueType = 0

type Spec struct{ Spec *Spec_Content }

type Spec_Content struct {
	Inputs map[string]*Spec_Content_Input
}

type Spec_Content_Input struct{ Type ValueType }

type StepRunnerServer interface{}

func RegisterStepRunnerServer(grpc.ServiceRegistrar, StepRunnerServer) {}
