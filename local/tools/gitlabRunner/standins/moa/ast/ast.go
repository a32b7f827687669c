// Package ast stands in for what such an expression is parsed to.
package ast

type Visitor interface {
	Enter(Expr) (Visitor, error)
	Exit(Expr) (Expr, error)
}

type Expr interface {
	Walk(Visitor) (Expr, error)
}

type Template struct{ Expr }
