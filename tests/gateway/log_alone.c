/*
 * log_alone - a log process without a gateway, and somebody who has records
 * for it: for tests that trace the one and believe the other.
 *
 *	log_alone serve FD KEY DIR STATE	listens on a descriptor
 *	log_alone feed SOCKET FIRST COUNT	heartbeats, numbered from FIRST
 *
 * feed prints a line for each record: "NUMBER SEQ" if it is durable, "NUMBER
 * -" if it was refused, "NUMBER ?" if nobody knows. It waits at most five
 * seconds for a log that is gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/report.h"
#include "base/text.h"
#include "gateway/log_client.h"
#include "gateway/log_process.h"
#include "record/record.h"

#define WAIT_MS 5000
#define PUBLISH_MS 5

static uint64_t
number(const char *text)
{
	uint64_t n;

	if (text_u64(text, strlen(text), &n) != 0) {
		(void)fprintf(stderr, "log_alone: %s is no number\n", text);
		exit(2);
	}
	return n;
}

static int
serve(char **argv)
{
	const struct log_process p = {
		.listen_fd = (int)number(argv[0]),
		.key_file = argv[1],
		.dir = argv[2],
		.state_dir = argv[3],
		.publish_ms = PUBLISH_MS,
	};

	report_init("log", REPORT_INFO);
	return log_process_run(&p);
}

static int
feed(char **argv)
{
	struct record r = {.type = RECORD_HEARTBEAT};
	uint64_t n = number(argv[1]), end = n + number(argv[2]), seq;
	struct log_client *c = NULL;
	struct log_hello hello;
	int e;

	report_init("feed", REPORT_ERROR);
	if (log_client_new(argv[0], "gw", WAIT_MS, WAIT_MS, &hello, &c) != 0)
		return 1;
	for (; n < end; n++) {
		r.u.heartbeat.opened = n;
		if ((e = log_client_submit_seq(c, &r, &seq)) == 0)
			(void)printf("%llu %llu\n", (unsigned long long)n,
			    (unsigned long long)seq);
		else
			(void)printf("%llu %c\n", (unsigned long long)n,
			    e == ERR_IO ? '-' : '?');
		(void)fflush(stdout);
	}
	log_client_free(c, WAIT_MS);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "serve") == 0)
		return serve(argv + 2);
	if (argc == 5 && strcmp(argv[1], "feed") == 0)
		return feed(argv + 2);
	(void)fprintf(stderr, "usage: log_alone serve FD KEY DIR STATE\n"
	    "       log_alone feed SOCKET FIRST COUNT\n");
	return 2;
}
