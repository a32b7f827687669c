// Package extended stands in for step-runner's client: there is no step-runner to reach.
package extended

import (
	"context"
	"errors"
	"io"

	"gitlab.com/gitlab-org/step-runner/pkg/api/client"
	"google.golang.org/grpc"
)

type Dialer interface {
	Dial() (*grpc.ClientConn, error)
}

type FollowOutput struct{ Logs io.Writer }

type Client struct{}

var errNone = errors.New("stand-in: no steps")

func New(Dialer) (*Client, error) { return nil, errNone }

func (*Client) CloseConn() error                     { return errNone }
func (*Client) Cancel(context.Context, string) error { return errNone }

func (*Client) RunAndFollow(context.Context, *client.RunRequest, *FollowOutput) (client.Status, error) {
	return client.Status{}, errNone
}
