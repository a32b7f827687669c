// Package snowplow stands in for sending events of usage, as GitLab.com's runners do.
package snowplow

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"gitlab.com/gitlab-org/labkit/v2/events/snowplow/metrics"
	"gitlab.com/gitlab-org/labkit/v2/events/snowplow/oidc"
)

var errNone = errors.New("stand-in: no usage events")

type BillingEventRequiredInput struct {
	Category, EventType, Realm, UnitOfMeasure string
	Quantity                                  float64
}

type BillingEventOptionalInput struct {
	Subject, DeploymentType, InstanceID, UniqueInstanceID   string
	Metadata                                                map[string]any
	ProjectID, NamespaceID, RootNamespaceID, OrganizationID int64
}

type SendResult struct {
	EventCount, StatusCode int
	Err                    error
}

type SendCallback func(successes, failures []SendResult)

type EmitterOption any

func WithCallback(SendCallback) EmitterOption                              { return nil }
func WithTokenSource(oidc.Source) EmitterOption                            { return nil }
func WithMetricsCollectorOptions(...metrics.CollectorOption) EmitterOption { return nil }

type Emitter struct{}

func NewEmitter(string, ...EmitterOption) (*Emitter, error) { return nil, errNone }
func (*Emitter) Collector() prometheus.Collector            { return nil }

type Tracker struct{}

func NewTracker(string, *Emitter) (*Tracker, error) { return nil, errNone }
func (*Tracker) Stop()                              {}

func (*Tracker) TrackBillingEventWithOptionalInput(BillingEventRequiredInput, BillingEventOptionalInput) error {
	return errNone
}
