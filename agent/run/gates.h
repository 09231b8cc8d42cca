/*
 * The facts the gates need (contract 5xx), collected here and judged by policies/gates.
 */
#ifndef UW_RUN_GATES_H
#define UW_RUN_GATES_H

#include "agent/run/look.h"

/* Collects the facts of now, judges them, fills l->guard with the gates that say no, and stores
 * the facts in the record so that a replay judges the same. */
int gates_apply(struct session *s, struct look *l, struct uw_err *err) UW_MUST_USE;

/* Judges recorded facts again (replay). guards must hold UW_MAX_GUARDS. -1: damaged facts. */
int gates_replay(const json_t *gates, const char *what, struct uw_guard *guard, size_t *n,
                 struct uw_err *err) UW_MUST_USE;

/* The kill switch at this moment; a file that cannot be looked at counts as on. */
bool gates_kill_switch(const struct session *s);

#endif
