/*
 * gateway/turns.h - when the passing of time alone changes a decision.
 */
#ifndef GATEWAY_TURNS_H
#define GATEWAY_TURNS_H

#include <stdint.h>

struct config;

/* The first instant after at_ms at which a fact begins or ends to hold, or a
 * rule to apply; INT64_MAX: none does. */
int64_t turns_after(const struct config *c, int64_t at_ms);

#endif
