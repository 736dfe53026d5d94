package service

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/refundry/refundry/internal/payment"
)

// metrics measures the whole service. It is what /metrics shows, and it
// implements the Metrics of every package.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	commits  prometheus.Histogram
	commands prometheus.Counter
	races    prometheus.Counter
	jobs     *prometheus.HistogramVec
	webhooks *prometheus.HistogramVec
	calls    *prometheus.HistogramVec
	waiting  *prometheus.GaugeVec
	buried   prometheus.Gauge
}

// seconds are the bounds of all durations: from a fast commit to a slow processor.
var seconds = []float64{.0005, .001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: durations("refundry_request_duration_seconds", "HTTP requests, by route and status.", "route", "status"),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "refundry_commit_duration_seconds", Help: "Commits of batches of commands.", Buckets: seconds,
		}),
		commands: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "refundry_commands_total", Help: "Commands that were committed or refused.",
		}),
		races: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "refundry_lost_races_total", Help: "Batches that were run again because somebody else was faster.",
		}),
		jobs: durations("refundry_job_duration_seconds", "Runs of jobs, by kind and result.", "kind", "result"),
		webhooks: durations("refundry_delivery_duration_seconds",
			"Delivery attempts, by door and HTTP status (0: no answer).", "door", "status"),
		calls: durations("refundry_processor_duration_seconds",
			"Calls of processors, by connector and outcome.", "connector", "outcome"),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "refundry_jobs_waiting", Help: "Jobs that are not done, by kind.",
		}, []string{"kind"}),
		buried: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "refundry_jobs_buried", Help: "Jobs that took their holders with them, left for a person.",
		}),
	}
	m.registry.MustRegister(m.requests, m.commits, m.commands, m.races, m.jobs, m.webhooks, m.calls, m.waiting, m.buried,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func durations(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: seconds}, labels)
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Served implements [web.Metrics].
func (m *metrics) Served(pattern string, status int, took time.Duration) {
	if pattern == "" {
		pattern = "none"
	}
	m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Observe(took.Seconds())
}

// Committed implements [engine.Metrics].
func (m *metrics) Committed(commands int, took time.Duration) {
	m.commits.Observe(took.Seconds())
	m.commands.Add(float64(commands))
}

// LostRace implements [engine.Metrics].
func (m *metrics) LostRace() { m.races.Inc() }

// Ran implements [job.Metrics].
func (m *metrics) Ran(kind payment.TaskKind, took time.Duration, failed bool) {
	result := "ok"
	if failed {
		result = "failed"
	}
	m.jobs.WithLabelValues(string(kind), result).Observe(took.Seconds())
}

// Told implements [webhook.Metrics].
func (m *metrics) Told(door payment.Door, status int, took time.Duration) {
	m.webhooks.WithLabelValues(string(door), strconv.Itoa(status)).Observe(took.Seconds())
}

// Called implements [processor.Metrics].
func (m *metrics) Called(connector, outcome string, took time.Duration) {
	m.calls.WithLabelValues(connector, outcome).Observe(took.Seconds())
}
