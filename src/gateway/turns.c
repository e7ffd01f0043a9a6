#include "gateway/turns.h"

#include "directory/turns.h"
#include "gateway/config.h"
#include "policy/policy.h"

int64_t
turns_after(const struct config *c, int64_t at_ms)
{
	int64_t fact = directory_changes_at(c->directory, at_ms);
	int64_t rule = policy_changes_at(c->policy, at_ms);

	return fact < rule ? fact : rule;
}
