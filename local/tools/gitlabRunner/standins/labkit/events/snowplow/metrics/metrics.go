// Package metrics stands in for counting events of usage.
package metrics

type CollectorOption any

func WithCollectorNamespace(string) CollectorOption                       { return nil }
func WithCollectorBatchDeliveryDurationBuckets([]float64) CollectorOption { return nil }
