/*
 * What the files of this library share among themselves. Nothing else includes this.
 */
#ifndef RCV_INNER_H
#define RCV_INNER_H

#include "recovery/decide.h"
#include "recovery/spec.h"

/* ---- evidence.c, indexes.c ---- */

/* Every enumeration and integer is in its range (expanded from facts.def). */
/*@ requires \valid_read(e) && indexes_ok(e);
    assigns \nothing;
    ensures \result == 1 <==> facts_in_range(e);
    ensures \result == 0 || \result == 1; */
int64_t rcv_facts_in_range(const struct rcv_evidence *e);

/* The number of candidates and every index into them. */
/*@ requires \valid_read(e);
    assigns \nothing;
    ensures indexes_mean_indexes: \result == 1 <==> indexes_ok(e);
    ensures \result == 0 || \result == 1; */
int rcv_indexes_valid(const struct rcv_evidence *e);

/* ---- nova_gates.c ---- */

/*@ requires \valid_read(p);
    assigns \nothing;
    ensures policy_means_policy: \result == 1 <==> policy_sound(p);
    ensures \result == 0 || \result == 1; */
int rcv_policy_sound(const struct rcv_policy *p);

/* nova-compute of a candidate, UNKNOWN unless it was the same at every reading. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures \result == service(c); */
enum rcv_svc rcv_service_of(const struct rcv_candidate *c);

/* A person's statements, only where nothing contradicts them and the policy takes them. */
/*@ requires \valid_read(c) && \valid_read(p);
    assigns \nothing;
    ensures stopped_means_stopped: \result == 1 <==> stopped(c, p);
    ensures \result == 0 || \result == 1; */
int rcv_stopped(const struct rcv_candidate *c, const struct rcv_policy *p);

/*@ requires \valid_read(c) && \valid_read(n) && \valid_read(p);
    assigns \nothing;
    ensures restarted_means_restarted: \result == 1 <==> restarted(c, n, p);
    ensures \result == 0 || \result == 1; */
int rcv_restarted(const struct rcv_candidate *c, const struct rcv_nova *n,
                  const struct rcv_policy *p);

/* The candidate's nova-compute does nothing any more: down, or attested. */
/*@ requires \valid_read(c) && \valid_read(n) && \valid_read(p);
    assigns \nothing;
    ensures dead_means_dead: \result == 1 <==> dead(c, n, p);
    ensures \result == 0 || \result == 1; */
int rcv_dead(const struct rcv_candidate *c, const struct rcv_nova *n, const struct rcv_policy *p);

/* Candidate i could not be reached and a person answers for it. Never the record host. */
/*@ requires \valid_read(e) && \valid_read(p) && 0 <= i < RCV_MAX_CANDIDATES;
    assigns \nothing;
    ensures excused_means_excused: \result == 1 <==> excused(e, p, i);
    ensures \result == 0 || \result == 1; */
int rcv_excused(const struct rcv_evidence *e, const struct rcv_policy *p, int64_t i);

/* Seconds from then to now; 0 when either is not known or the order is reversed. */
/*@ assigns \nothing;
    ensures \result == age_between(now, then);
    ensures \result >= 0; */
int64_t rcv_age_s(int64_t now, int64_t then);

/* Age of the newest record, or of the newest action that never got one. */
/*@ requires \valid_read(e);
    assigns \nothing;
    ensures age_means_age: \result == record_age(e);
    ensures \result >= 0; */
int64_t rcv_record_age_s(const struct rcv_evidence *e);

/* The age below which this record is too young to be called wedged, 0 for no limit. */
/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing; */
int64_t rcv_age_limit_s(const struct rcv_evidence *e, const struct rcv_policy *p);

/*
 * The migration gates of a server that is migrating and has one owner, its record host:
 * RCV_CODE_UNSET when nobody in Nova can still be finishing the migration, else why not.
 */
/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures gate_means_clear: \result == RCV_CODE_UNSET <==> migration_clear(e, p); */
enum rcv_code rcv_migration_gate(const struct rcv_evidence *e, const struct rcv_policy *p);

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures nova_means_nova: \result == 1 <==> nova_safe(e, p);
    ensures \result == 0 || \result == 1; */
int rcv_nova_safe(const struct rcv_evidence *e, const struct rcv_policy *p);

/* ---- safe.c ---- */

/*@ requires \valid_read(k);
    assigns \nothing;
    ensures foreign_means_foreign: \result == 1 <==> foreign_facts(k);
    ensures \result == 0 || \result == 1; */
int rcv_foreign(const struct rcv_look *k);

/*@ requires \valid_read(k) && \valid_read(p);
    assigns \nothing;
    ensures nameless_means_nameless: \result == 1 <==> nameless_facts(k, p);
    ensures \result == 0 || \result == 1; */
int rcv_nameless(const struct rcv_look *k, const struct rcv_policy *p);

/* h: the record host's look; t: another candidate's (rulings: past split brain). */
/*@ requires \valid_read(h) && \valid_read(t);
    assigns \nothing;
    ensures killed_means_killed: \result == 1 <==> killed_beside(h, t);
    ensures \result == 0 || \result == 1; */
int rcv_killed_beside(const struct rcv_look *h, const struct rcv_look *t);

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures ownership_means_ownership: \result == 1 <==> ownership_safe(e, p);
    ensures ownership_one_owner: \result == 1 ==> exactly_one_owner(e, p);
    ensures \result == 0 || \result == 1; */
int rcv_ownership_safe(const struct rcv_evidence *e, const struct rcv_policy *p);

/* Unchanged over the whole observation; complete adds the record host's monitor. */
/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures settled_means_settled: \result == 1 <==> settled(e, p);
    ensures \result == 0 || \result == 1; */
int rcv_settled(const struct rcv_evidence *e, const struct rcv_policy *p);

/*@ requires \valid_read(e) && \valid_read(p) && indexes_ok(e);
    assigns \nothing;
    ensures complete_means_complete: \result == 1 <==> complete(e, p);
    ensures \result == 0 || \result == 1; */
int rcv_complete(const struct rcv_evidence *e, const struct rcv_policy *p);

/* ---- verdict.c ---- */

/* Fills out with "nothing decided". */
/*@ requires \valid(out);
    assigns *out;
    ensures out->kind == RCV_VERDICT_NONE && out->code == RCV_CODE_UNSET && out->reasons == 0; */
void rcv_verdict_init(struct rcv_verdict *out);

/* Adds one reason in its place by precedence; a full list drops the least. */
/*@ requires \valid(out) && 0 <= out->reasons <= RCV_MAX_REASONS;
    assigns out->reasons, out->reason[0 .. RCV_MAX_REASONS - 1];
    ensures 0 <= out->reasons <= RCV_MAX_REASONS; */
void rcv_raise(struct rcv_verdict *out, enum rcv_code code, int64_t candidate);

/* The verdict of a leading reason; RESET of none, so that no list of reasons can act. */
/*@ assigns \nothing;
    ensures never_reset_by_reason: \result != RCV_VERDICT_RESET; */
enum rcv_verdict_kind rcv_kind_of(enum rcv_code code);

/* ---- reasons.c ---- */

/* Everything that stands against a reset, of valid evidence. It cannot decide a reset. */
/*@ requires \valid_read(e) && \valid_read(p) && \valid(out) && \separated(out, e, p);
    requires 0 <= out->reasons <= RCV_MAX_REASONS;
    assigns *out;
    ensures 0 <= out->reasons <= RCV_MAX_REASONS; */
void rcv_reasons(const struct rcv_evidence *e, const struct rcv_policy *p, struct rcv_verdict *out);

#endif
