/*
 * gateway/policy_file.h - a policy and the files that it includes, as the
 * one text that is decided by and recorded (policy/bundle.h).
 *
 * Files are taken from the policy's folder and below, also where links lead.
 */
#ifndef GATEWAY_POLICY_FILE_H
#define GATEWAY_POLICY_FILE_H

#include "base/err.h"

struct buf;
struct policy;

/*
 * Appends the text: the file's own bytes if it includes nothing. On failure
 * *w and file say what is wrong in which file.
 */
int policy_file_read(const char *path, struct buf *out, struct why *w,
    char file[static 1024]);
/* Loads what was read from path; on failure file is the one that is wrong. */
int policy_file_load(const char *path, const char *text, size_t len,
    struct policy **ret, struct why *w, char file[static 1024]);
/* The path of a file that the policy at path includes; of itself for NULL
 * or "". */
void policy_file_name(const char *path, const char *name,
    char ret[static 1024]);

#endif
