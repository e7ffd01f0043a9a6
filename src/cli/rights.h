/*
 * cli/rights.h - the rights of others that `sworn apply` has to touch, as
 * SQL to be run once sworn.state exists.
 */
#ifndef CLI_RIGHTS_H
#define CLI_RIGHTS_H

/* Takes temporary tables from PUBLIC; whoever exists keeps them by name. */
extern const char rights_revoke_temp_sql[];
/* Lets roles that insert bypass row security, so that COPY FROM works. */
extern const char rights_bypass_sql[];
/* Takes back what the two did. */
extern const char rights_give_back_sql[];

#endif
