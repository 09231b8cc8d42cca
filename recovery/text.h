/*
 * Bounded text: templates with the instance's real values, without stdio.
 */
#ifndef RCV_TEXT_H
#define RCV_TEXT_H

#include "recovery/explain.h"
#include "recovery/release.h"

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
 *   %R release: "Nova 2.93 (Zed)", "this Nova" when its maximum microversion was not told
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
/* The same from three templates, one after the other. */
void rcv_say3(struct rcv_lines *l, const struct rcv_story *s, const char *a, const char *b,
              const char *c);

/* explain_next.c: the sections of an explanation. */
void rcv_explain_next(const struct rcv_story *s, struct rcv_lines *next, struct rcv_lines *never);
void rcv_explain_residue(const struct rcv_story *s, struct rcv_lines *residue);

/* explain_release.c: what the release of this cloud has, and the lines that depend on it. */
enum rcv_tri rcv_story_has(const struct rcv_story *s, enum rcv_trait trait);
int rcv_story_no_cure(const struct rcv_story *s);      /* 1: rcv_start_is_no_cure() here */
const char *rcv_no_cure_words(void);                   /* why not; a template */
const char *rcv_heal_words(const struct rcv_story *s); /* commands that heal allocations */
void rcv_say_how_it_came(const struct rcv_story *s, struct rcv_lines *l);
void rcv_say_update(const struct rcv_story *s, struct rcv_lines *l);
void rcv_say_bindings(const struct rcv_story *s, struct rcv_lines *l);
void rcv_say_attachments(const struct rcv_story *s, struct rcv_lines *l);
void rcv_say_volume_check(const struct rcv_story *s, struct rcv_lines *l);
void rcv_say_release_residue(const struct rcv_story *s, struct rcv_lines *l);

/* 1 when candidate i's last look is of class c. */
int rcv_story_holds(const struct rcv_story *s, int64_t i, enum rcv_class c);

#endif
