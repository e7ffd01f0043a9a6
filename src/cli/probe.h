/*
 * cli/probe.h - whether a store's engine holds a clearance, by trying.
 *
 * Engines that speak PostgreSQL's protocol differ in what they enforce.
 */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include <libpq-fe.h>

/*
 * Makes a small clearance with the SQL that the real ones are made with,
 * attacks it, and takes everything back. Inside a transaction that has not
 * made anything yet. 0; ERR_DENIED: it did not hold (said on standard error).
 */
int probe_run(PGconn *c);

#endif
