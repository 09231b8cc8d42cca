/*
 * Bounded text: templates with the instance's real values, without stdio.
 */
#include "recovery/text.h"
#include "recovery/inner.h"

void rcv_text_start(struct rcv_text *t, char *to, int64_t max) {
  t->to = to;
  t->max = max;
  t->used = 0;
  t->cut = 0;
  to[0] = '\0';
}

static void mark_cut(struct rcv_text *t) {
  t->cut = 1;
  for (int64_t i = t->used - 3; i >= 0 && i < t->used; i++) {
    t->to[i] = '.';
  }
}

static void add_char(struct rcv_text *t, char c) {
  if (t->cut) {
    return;
  }
  if (t->used + 1 >= t->max) {
    mark_cut(t);
    return;
  }
  t->to[t->used] = c;
  t->used++;
  t->to[t->used] = '\0';
}

void rcv_text_add(struct rcv_text *t, const char *s) {
  for (int64_t i = 0; i < t->max && s[i] != '\0'; i++) {
    add_char(t, s[i]);
  }
}

void rcv_text_int(struct rcv_text *t, int64_t value) {
  char digits[24];
  int64_t n = 0;
  int64_t left = value;
  if (value < 0) {
    add_char(t, '-');
  }
  do {
    int64_t digit = left % 10;
    digits[n] = (char)('0' + (digit < 0 ? -digit : digit));
    n++;
    left /= 10;
  } while (left != 0 && n < (int64_t)sizeof(digits));
  while (n > 0) {
    n--;
    add_char(t, digits[n]);
  }
}

static int plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == ':' || c == '@' || c == '+';
}

void rcv_text_value(struct rcv_text *t, const char *s, int64_t max, const char *if_empty) {
  if (s[0] == '\0') {
    rcv_text_add(t, if_empty);
    return;
  }
  for (int64_t i = 0; i < max && s[i] != '\0'; i++) {
    add_char(t, plain(s[i]) ? s[i] : '?');
  }
}

/* A status as Nova writes it ("running (post-copy)"): it may stand in quotes of SQL. */
static void add_status(struct rcv_text *t, const char *s, int64_t max, const char *if_empty) {
  if (s[0] == '\0') {
    rcv_text_add(t, if_empty);
    return;
  }
  for (int64_t i = 0; i < max && s[i] != '\0'; i++) {
    int space = s[i] == ' ' || s[i] == '(' || s[i] == ')';
    add_char(t, plain(s[i]) || space ? s[i] : '?');
  }
}

/* A message from outside: read only, so spaces and punctuation stay; nothing unprintable. */
static void add_message(struct rcv_text *t, const char *s, int64_t max, const char *if_empty) {
  if (s[0] == '\0') {
    rcv_text_add(t, if_empty);
    return;
  }
  for (int64_t i = 0; i < max && s[i] != '\0'; i++) {
    add_char(t, s[i] >= ' ' && s[i] <= '~' ? s[i] : '?');
  }
}

static void add_host(struct rcv_text *t, const struct rcv_story *s, int64_t i,
                     const char *if_none) {
  if (i < 0 || i >= RCV_MAX_CANDIDATES || (s->e != NULL && i >= s->e->candidates)) {
    rcv_text_add(t, if_none);
    return;
  }
  rcv_text_value(t, s->names->host[i].host, RCV_TEXT_BYTES, if_none);
}

static void add_hypervisor(struct rcv_text *t, const struct rcv_story *s) {
  int64_t i = s->about;
  if (i < 0 || i >= s->e->candidates || i >= RCV_MAX_CANDIDATES ||
      s->names->host[i].hypervisor_hostname[0] == '\0') {
    rcv_text_add(t, "<its hypervisor_hostname>");
    return;
  }
  rcv_text_value(t, s->names->host[i].hypervisor_hostname, RCV_TEXT_BYTES, "");
}

static void add_migration_id(struct rcv_text *t, const struct rcv_story *s) {
  if (s->e->nova_last.mig_id < 0) {
    rcv_text_add(t, "<migration id>");
    return;
  }
  rcv_text_int(t, s->e->nova_last.mig_id);
}

/* "Nova 2.93 (Zed)"; what is between two releases or newer than all is said to be after one. */
static void add_release(struct rcv_text *t, const struct rcv_story *s) {
  const char *after = NULL;
  const char *name = rcv_release_name(s->e->nova_last.max_minor, &after);
  if (s->e->nova_last.max_minor < 0) {
    rcv_text_add(t, "this Nova");
    return;
  }
  rcv_text_add(t, "Nova 2.");
  rcv_text_int(t, s->e->nova_last.max_minor);
  if (name != NULL || after != NULL) {
    rcv_text_add(t, name != NULL ? " (" : " (newer than ");
    rcv_text_add(t, name != NULL ? name : after);
    rcv_text_add(t, ")");
  }
}

static void add_texts(struct rcv_text *t, const struct rcv_story *s, char which) {
  const struct rcv_names *n = s->names;
  switch (which) {
  case 'i': rcv_text_value(t, n->instance, RCV_ID_BYTES, "<instance>"); return;
  case 'm': rcv_text_value(t, n->migration_uuid, RCV_ID_BYTES, "<migration uuid>"); return;
  case 'S':
    add_status(t, n->migration_status, RCV_ID_BYTES,
               rcv_enum_name(&rcv_mig_enum, (int)s->e->nova_last.mig_status));
    return;
  case 'V':
    rcv_text_value(t, n->vm_state, RCV_ID_BYTES,
                   rcv_enum_name(&rcv_vm_enum, (int)s->e->nova_last.vm_state));
    return;
  case 'A':
    rcv_text_value(t, n->task_state, RCV_ID_BYTES,
                   rcv_enum_name(&rcv_task_enum, (int)s->e->nova_last.task_state));
    return;
  case 'g': rcv_text_value(t, n->newer_action, RCV_ID_BYTES, "<action>"); return;
  case 'r': rcv_text_value(t, n->action_request_id, RCV_ID_BYTES, "<request id>"); return;
  case 'e': add_message(t, n->api_error, RCV_TEXT_BYTES, "no further word"); return;
  default: add_char(t, which); return;
  }
}

static void add_field(struct rcv_text *t, const struct rcv_story *s, char which) {
  switch (which) {
  case 'H': add_host(t, s, s->h, "<record host>"); return;
  case 'T': add_host(t, s, s->about, "<host>"); return;
  case 'N': add_hypervisor(t, s); return;
  case 's': add_host(t, s, s->e->nova_last.mig_source, "<source host>"); return;
  case 'd': add_host(t, s, s->e->nova_last.mig_dest, "<destination host>"); return;
  case 'M': add_migration_id(t, s); return;
  case 'R': add_release(t, s); return;
  case 'a': rcv_text_int(t, rcv_record_age_s(s->e)); return;
  case 'w': rcv_text_int(t, s->v->look_again_s < 1 ? 60 : s->v->look_again_s); return;
  default: add_texts(t, s, which); return;
  }
}

void rcv_text_fill(struct rcv_text *t, const struct rcv_story *s, const char *pattern) {
  for (int64_t i = 0; i < t->max && pattern[i] != '\0'; i++) {
    if (pattern[i] == '%' && pattern[i + 1] != '\0') {
      i++;
      add_field(t, s, pattern[i]);
    } else {
      add_char(t, pattern[i]);
    }
  }
}

void rcv_line(char line[RCV_LINE_BYTES], const struct rcv_story *s, const char *pattern) {
  struct rcv_text t;
  rcv_text_start(&t, line, RCV_LINE_BYTES);
  rcv_text_fill(&t, s, pattern);
}

void rcv_say(struct rcv_lines *l, const struct rcv_story *s, const char *pattern) {
  rcv_say3(l, s, pattern, "", "");
}

void rcv_say3(struct rcv_lines *l, const struct rcv_story *s, const char *a, const char *b,
              const char *c) {
  struct rcv_text t;
  if (l->count < 0 || l->count >= RCV_MAX_LINES) {
    l->truncated = 1;
    return;
  }
  rcv_text_start(&t, l->line[l->count], RCV_LINE_BYTES);
  rcv_text_fill(&t, s, a);
  rcv_text_fill(&t, s, b);
  rcv_text_fill(&t, s, c);
  if (t.cut) {
    l->truncated = 1;
  }
  l->count++;
}

int rcv_story_holds(const struct rcv_story *s, int64_t i, enum rcv_class c) {
  return i >= 0 && i < s->e->candidates && i < RCV_MAX_CANDIDATES && s->v->class_of[i] == c;
}
