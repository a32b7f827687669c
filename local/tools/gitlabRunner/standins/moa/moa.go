// Package moa stands in for GitLab's expressions, ${{ … }} in inputs of jobs: it takes none.
package moa

import (
	"errors"

	"gitlab.com/gitlab-org/moa/ast"
)

func ParseTemplate(string) (ast.Expr, error) { return nil, errors.New("stand-in: no expressions") }

func EscapeTemplate(text string) string { return text }
