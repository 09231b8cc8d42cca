/*
 * Bounded text: templates with the instance's real values, without stdio.
 */
#ifndef RCV_TEXT_H
#define RCV_TEXT_H

#include "recovery/explain.h"

struct rcv_text {
  char *to; /* max bytes; always NUL-terminated */
  int64_t max, used;
  int64_t cut; /* 1 when something did not fit; the text then ends in "..." */
};
void rcv_text_start(struct rcv_text *t, char *to, int64_t max);
void rcv_text_add(struct rcv_text *t, const char *s);
void rcv_text_int(struct rcv_text *t, int64_t value);
/* A value from outside, at most max bytes of it: it may stand in a command that somebody pastes,
 * so every character that a shell or SQL could act on is shown as "?". */
void rcv_text_value(struct rcv_text *t, const char *s, int64_t max, const char *if_empty);

/*
 * What a template is filled from. about: the candidate that the text is about, -1 none.
 *
 *   %i instance UUID      %H record host          %T the candidate it is about
 *   %N hypervisor of %T   %s source of the record %d destination of the record
 *   %M migration id       %m migration uuid       %S the record's status
 *   %V vm_state           %A task_state           %a age of the record in seconds
 *   %w seconds to the next look                   %e what the API answered
 *   %g newer action       %r request id of the migration   %% a percent sign
 *
 * Values are shown with every character that a shell or SQL could act on replaced by "?".
 */
struct rcv_story {
  const struct rcv_evidence *e;
  const struct rcv_names *names;
  const struct rcv_policy *p;
  const struct rcv_verdict *v;
  int64_t h;     /* record host, -1 none */
  int64_t about; /* candidate, -1 none */
};
void rcv_text_fill(struct rcv_text *t, const struct rcv_story *s, const char *pattern);

/* One line from a template; one more line of a section (marked when it does not fit). */
void rcv_line(char line[RCV_LINE_BYTES], const struct rcv_story *s, const char *pattern);
void rcv_say(struct rcv_lines *l, const struct rcv_story *s, const char *pattern);

/* explain_next.c: the sections of an explanation. */
void rcv_explain_next(const struct rcv_story *s, struct rcv_lines *next, struct rcv_lines *never);
void rcv_explain_residue(const struct rcv_story *s, struct rcv_lines *residue);

/* 1 when candidate i's last look is of class c. */
int rcv_story_holds(const struct rcv_story *s, int64_t i, enum rcv_class c);

#endif
