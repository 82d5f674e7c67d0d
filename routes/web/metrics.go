package web

import (
	"errors"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.org/portal/globus"
)

// Metrics count what an app does, for Prometheus. No label holds a value that a
// stranger can choose, so the number of series is bounded.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.HistogramVec
	inFlight  prometheus.Gauge
	signIns   *prometheus.CounterVec
	refreshes *prometheus.CounterVec
	globus    *prometheus.HistogramVec
	store     *prometheus.HistogramVec
	server    *prometheus.GaugeVec
}

// NewMetrics returns metrics that begin at zero. The labels of portal_build_info say
// which program this is, such as revision, the commit that it was built from; nil
// leaves that metric out.
func NewMetrics(build map[string]string) *Metrics {
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		requests:  latency("portal_http_request_duration_seconds", "How long answers took, by the route's pattern.", "route", "method", "status"),
		inFlight:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "portal_http_requests_in_flight", Help: "Requests that are being answered now."}),
		signIns:   counter("portal_signins_total", "Sign-ins that ended, and how.", "outcome", "reason"),
		refreshes: counter("portal_refreshes_total", "Refreshes of access tokens at Globus, by outcome.", "outcome"),
		globus:    latency("portal_globus_request_duration_seconds", "How long calls to Globus took, by what was called and the HTTP status, or why there was none.", "call", "status"),
		store:     latency("portal_store_call_duration_seconds", "How long calls of the session store took.", "operation", "outcome"),
		server:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "portal_store_server", Help: "The server of the session store that was connected to last."}, []string{"server"}),
	}
	m.registry.MustRegister(m.requests, m.inFlight, m.signIns, m.refreshes, m.globus, m.store, m.server,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if build != nil {
		info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "portal_build_info", Help: "Always 1; its labels say which program runs.", ConstLabels: build})
		info.Set(1)
		m.registry.MustRegister(info)
	}
	return m
}

// latency has buckets from a read of the store, 0.5 ms, to a call to Globus
// that timed out, 10 s.
func latency(name, help string, labels ...string) *prometheus.HistogramVec {
	buckets := append([]float64{.0005, .001, .0025}, prometheus.DefBuckets...)
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// Register adds metrics of your own. It returns them, or those that were registered
// before under the same name. No label may hold a value that a stranger can choose.
func Register[C prometheus.Collector](m *Metrics, own C) C {
	err := m.registry.Register(own)
	if known, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		return known.ExistingCollector.(C)
	}
	if err != nil {
		panic(err)
	}
	return own
}

// Handler answers at /metrics, and with profiles of the program below
// /debug/pprof/. It belongs on an address that only operators reach.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// GlobusCall is for globus.Config.Observe.
func (m *Metrics) GlobusCall(call, outcome string, took time.Duration) {
	m.globus.WithLabelValues(call, outcome).Observe(took.Seconds())
}

// StoreCall is for session.Config.Observe.
func (m *Metrics) StoreCall(operation, outcome string, took time.Duration) {
	m.store.WithLabelValues(operation, outcome).Observe(took.Seconds())
}

// StoreServer is for session.Config.Connected.
func (m *Metrics) StoreServer(server string) {
	m.server.Reset()
	m.server.WithLabelValues(server).Set(1)
}

func (m *Metrics) request(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

// SignIn counts a sign-in that ended, and why it failed if it did.
func (m *Metrics) SignIn(outcome, reason string) { m.signIns.WithLabelValues(outcome, reason).Inc() }

// Refresh counts a refresh of an access token.
func (m *Metrics) Refresh(err error) {
	outcome := "ok"
	switch {
	case globus.IsInvalidGrant(err):
		outcome = "withdrawn"
	case err != nil:
		outcome = "failed"
	}
	m.refreshes.WithLabelValues(outcome).Inc()
}
