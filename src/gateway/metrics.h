/*
 * gateway/metrics.h - counters shared by the processes.
 *
 * One page of atomic counters, mapped shared before the processes part; the
 * console only reads it.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct buf;

struct metrics {
	atomic_uint_fast64_t sessions_opened;
	atomic_uint_fast64_t sessions_closed;
	atomic_uint_fast64_t logins_failed;
	atomic_uint_fast64_t statements;
	atomic_uint_fast64_t denials;
	atomic_uint_fast64_t rows;
	atomic_uint_fast64_t bytes;
	atomic_uint_fast64_t log_durable;	/* records */
	atomic_uint_fast64_t log_published;
	atomic_uint_fast64_t log_cosigned;	/* by a quorum of witnesses */
	atomic_uint_fast64_t log_failures;
	atomic_uint_fast64_t log_syncs;
	atomic_uint_fast64_t log_ok;		/* 1 while records are accepted */
	atomic_uint_fast64_t gateway_ok;	/* 1 while it accepts sessions */
	atomic_uint_fast64_t log_restarts;
	atomic_uint_fast64_t addresses_built_s;	/* Unix time; 0: no file */
	atomic_uint_fast64_t ticket_lookups;
	atomic_uint_fast64_t ticket_refusals;	/* asked, and not confirmed */
	atomic_uint_fast64_t ticket_failures;	/* could not be asked */
	atomic_uint_fast64_t stores_drifted;	/* closed to persons */
	atomic_uint_fast64_t stores_unseen;	/* closed, too */
	atomic_uint_fast64_t drift_failures;	/* looks that failed */
	atomic_uint_fast64_t glass_broken;	/* without an approval */
	atomic_uint_fast64_t reloads;
	atomic_uint_fast64_t reloads_failed;
	atomic_uint_fast64_t reload_failed;	/* 1: the last one was */
	atomic_uint_fast64_t in_force_s;	/* when that came into force */
	atomic_uint_fast64_t witness_failures;	/* rounds without a quorum */
	atomic_uint_fast64_t witness_ok;	/* 1 once the log may sign */
	atomic_uint_fast64_t gateway_beat_ms;	/* wall clock of its last beat */
};

/* One zeroed page, shared with processes forked later; NULL on failure. */
struct metrics *metrics_new(void);
/* Prometheus text format 0.0.4. */
void metrics_write(const struct metrics *m, struct buf *out);
/* Whether log and gateway both work: what /healthz says. */
bool metrics_healthy(const struct metrics *m);

#endif
