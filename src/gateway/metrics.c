/*
 * Format: Prometheus exposition formats, "Text-based format".
 */
#include "gateway/metrics.h"

#include <stddef.h>
#include <sys/mman.h>

#include "base/buf.h"

static const struct {
	const char *name;
	const char *type;
	const char *help;
	size_t offset;
} rows[] = {
	{"sworn_sessions_opened_total", "counter", "Sessions opened.",
	    offsetof(struct metrics, sessions_opened)},
	{"sworn_sessions_closed_total", "counter", "Sessions closed.",
	    offsetof(struct metrics, sessions_closed)},
	{"sworn_logins_failed_total", "counter", "Logins refused.",
	    offsetof(struct metrics, logins_failed)},
	{"sworn_statements_total", "counter", "Statements of persons.",
	    offsetof(struct metrics, statements)},
	{"sworn_denials_total", "counter", "Statements and sessions refused.",
	    offsetof(struct metrics, denials)},
	{"sworn_rows_total", "counter", "Rows released to clients.",
	    offsetof(struct metrics, rows)},
	{"sworn_bytes_total", "counter", "Bytes of rows released.",
	    offsetof(struct metrics, bytes)},
	{"sworn_log_durable_records", "gauge",
	    "Records that are durable in the journal.",
	    offsetof(struct metrics, log_durable)},
	{"sworn_log_published_records", "gauge",
	    "Records under the published checkpoint.",
	    offsetof(struct metrics, log_published)},
	{"sworn_log_cosigned_records", "gauge",
	    "Records under the newest checkpoint that a quorum of witnesses "
	    "has cosigned.", offsetof(struct metrics, log_cosigned)},
	{"sworn_log_cosign_failures_total", "counter",
	    "Rounds of asking that fell short of a quorum.",
	    offsetof(struct metrics, witness_failures)},
	{"sworn_log_failures_total", "counter",
	    "Appends that the log refused.",
	    offsetof(struct metrics, log_failures)},
	{"sworn_log_syncs_total", "counter", "Syncs of the journal.",
	    offsetof(struct metrics, log_syncs)},
	{"sworn_log_up", "gauge", "1 while the log accepts records.",
	    offsetof(struct metrics, log_ok)},
	{"sworn_gateway_up", "gauge", "1 while the gateway accepts sessions.",
	    offsetof(struct metrics, gateway_ok)},
	{"sworn_ticket_lookups_total", "counter",
	    "Tickets that were looked up.",
	    offsetof(struct metrics, ticket_lookups)},
	{"sworn_ticket_refusals_total", "counter",
	    "Tickets that were looked up and not confirmed.",
	    offsetof(struct metrics, ticket_refusals)},
	{"sworn_ticket_failures_total", "counter",
	    "Look-ups of tickets that failed.",
	    offsetof(struct metrics, ticket_failures)},
	{"sworn_stores_drifted", "gauge",
	    "Stores that are closed to persons, since they are not as sworn "
	    "apply left them.", offsetof(struct metrics, stores_drifted)},
	{"sworn_stores_unseen", "gauge",
	    "Stores that are closed to persons, since they could not be "
	    "looked at for too long.",
	    offsetof(struct metrics, stores_unseen)},
	{"sworn_drift_failures_total", "counter",
	    "Looks at a store for drift that failed.",
	    offsetof(struct metrics, drift_failures)},
	{"sworn_glass_broken_total", "counter",
	    "Times that somebody did without an approval, to be reviewed.",
	    offsetof(struct metrics, glass_broken)},
	{"sworn_log_restarts_total", "counter",
	    "Restarts of the log process.",
	    offsetof(struct metrics, log_restarts)},
	{"sworn_addresses_built_seconds", "gauge",
	    "When the file of addresses was made; 0 without one.",
	    offsetof(struct metrics, addresses_built_s)},
	{"sworn_reloads_total", "counter", "Reloads that were taken.",
	    offsetof(struct metrics, reloads)},
	{"sworn_reloads_failed_total", "counter",
	    "Reloads that were not taken.",
	    offsetof(struct metrics, reloads_failed)},
	{"sworn_reload_failed", "gauge",
	    "1 if the last reload was not taken, so that what is in force is "
	    "not what the files say.",
	    offsetof(struct metrics, reload_failed)},
	{"sworn_in_force_timestamp_seconds", "gauge",
	    "When the configuration in force was taken.",
	    offsetof(struct metrics, in_force_s)},
};

struct metrics *
metrics_new(void)
{
	void *p = mmap(NULL, sizeof(struct metrics), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

void
metrics_write(const struct metrics *m, struct buf *out)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const atomic_uint_fast64_t *v = (const void *)
		    ((const char *)m + rows[i].offset);

		buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n",
		    rows[i].name, rows[i].help, rows[i].name, rows[i].type,
		    rows[i].name, (unsigned long long)atomic_load(v));
	}
}

bool
metrics_healthy(const struct metrics *m)
{
	return atomic_load(&m->log_ok) == 1 && atomic_load(&m->gateway_ok) == 1;
}
