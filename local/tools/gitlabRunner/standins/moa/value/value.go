// Package value stands in for the values of such expressions: none but null.
package value

import (
	"errors"
	"iter"
)

type Kind int

const (
	NullKind Kind = iota
	StringKind
	NumberKind
	BoolKind
	ArrayKind
	ObjectKind
)

var (
	ErrAttributeNotFound = errors.New("attribute not found")
	ErrInvalidKey        = errors.New("invalid key")
)

type Mapper interface {
	All() iter.Seq2[Value, Value]
	Attr(string) (Value, error)
	Get(Value) (Value, error)
	Keys() iter.Seq[Value]
	Len() int
	Values() iter.Seq[Value]
	WithMarks(uint16) Mapper
}

type Value struct{ text string }

func Null() Value                      { return Value{} }
func String(text string) Value         { return Value{text} }
func Object(Mapper) Value              { return Value{} }
func (v Value) String() string         { return v.text }
func (Value) Kind() Kind               { return NullKind }
func (v Value) WithMarks(uint16) Value { return v }
func (Value) HasMarks(uint16) bool     { return false }
