#include "agent/cli/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/json.h"

#define LINE_WIDTH 96
#define NUMBER_BYTES 16 /* "  12. " */
#define DEPTH 8         /* of a verdict document; it has four */

bool render_use_color(int fd, bool no_color) {
  const char *env = getenv("NO_COLOR");
  return !no_color && (env == NULL || env[0] == '\0') && isatty(fd) == 1;
}

/* --- clean text -------------------------------------------------------------------------- */

/* Bytes of the character at text that must not reach a terminal; 0 when it may. */
static size_t hidden(const unsigned char *text) {
  if (text[0] < 0x20 || text[0] == 0x7f) {
    return 1;
  }
  if (text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f) { /* C1: U+0080 to U+009F */
    return 2;
  }
  bool turns = text[0] == 0xe2 && ((text[1] == 0x80 && ((text[2] >= 0x8e && text[2] <= 0x8f) ||
                                                        (text[2] >= 0xa8 && text[2] <= 0xae))) ||
                                   (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
  return turns ? 3 : 0; /* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069 */
}

void render_clean(const char *text, struct uw_buf *out) {
  const unsigned char *at = (const unsigned char *)text;
  while (*at != '\0') {
    size_t bad = hidden(at);
    uw_buf_add(out, bad > 0 ? "?" : (const char *)at, 1);
    at += bad > 0 ? bad : 1;
  }
}

static json_t *clean_string(const char *text) {
  struct uw_buf out = {0};
  render_clean(text, &out);
  json_t *clean = out.failed ? NULL : json_string(uw_buf_text(&out));
  uw_buf_free(&out);
  return clean;
}

static json_t *clean_copy(const json_t *value, int depth);

static int clean_members(const json_t *object, json_t *copy, int depth) {
  json_t *source = json_deep_copy(object); /* iterating wants a document that is not const */
  const char *key;
  json_t *member;
  int result = source == NULL ? -1 : 0;
  json_object_foreach(source, key, member) {
    struct uw_buf name = {0};
    render_clean(key, &name);
    if (name.failed ||
        json_object_set_new(copy, uw_buf_text(&name), clean_copy(member, depth)) != 0) {
      result = -1;
    }
    uw_buf_free(&name);
  }
  json_decref(source);
  return result;
}

/* NULL: no memory, or nested deeper than any verdict. */
static json_t *clean_copy(const json_t *value, int depth) {
  if (json_is_string(value)) {
    return clean_string(json_string_value(value));
  }
  if (!json_is_object(value) && !json_is_array(value)) {
    return json_deep_copy(value);
  }
  json_t *copy = json_is_object(value) ? json_object() : json_array();
  int result = copy == NULL || depth <= 0 ? -1 : 0;
  if (result == 0 && json_is_object(value)) {
    result = clean_members(value, copy, depth - 1);
  }
  for (size_t i = 0; result == 0 && i < json_array_size(value); i++) {
    result = json_array_append_new(copy, clean_copy(json_array_get(value, i), depth - 1));
  }
  if (result != 0) {
    json_decref(copy);
    return NULL;
  }
  return copy;
}

/* --- small pieces ------------------------------------------------------------------------ */

static const char *text(const json_t *object, const char *key) {
  const char *value = uw_json_str(object, key, "-");
  return value[0] != '\0' ? value : "-";
}

static const char *color_of(const char *verdict) {
  if (strcmp(verdict, "RESET") == 0 || strcmp(verdict, "NOTHING") == 0) {
    return "\033[1;32m";
  }
  return strcmp(verdict, "WAIT") == 0 ? "\033[1;33m" : "\033[1;31m";
}

static void heading(const struct render_options *o, const char *title, struct uw_buf *out) {
  uw_buf_printf(out, "\n%s%s%s\n", o->color ? "\033[1m" : "", title, o->color ? "\033[0m" : "");
}

void render_wrapped(const char *first, const char *line, struct uw_buf *out) {
  size_t indent = strlen(first);
  size_t column = indent;
  uw_buf_puts(out, first);
  while (*line != '\0') {
    size_t word = strcspn(line, " ");
    if (column > indent && column + 1 + word > LINE_WIDTH) {
      uw_buf_printf(out, "\n%*s", (int)indent, "");
      column = indent;
    } else if (column > indent) {
      uw_buf_puts(out, " ");
      column++;
    }
    uw_buf_add(out, line, word);
    column += word;
    line += word;
    if (*line == ' ') {
      line++;
    }
  }
  uw_buf_puts(out, "\n");
}

/* A line that begins with two spaces is a command or a table row: printed as it is. One that is
 * numbered already needs no bullet; its number hangs. */
static void item(const char *bullet, const char *line, struct uw_buf *out) {
  if (strncmp(line, "  ", 2) == 0) {
    uw_buf_printf(out, "  %s\n", line);
    return;
  }
  size_t digits = strspn(line, "0123456789");
  if (digits > 0 && digits < 4 && strncmp(line + digits, ". ", 2) == 0) {
    char first[NUMBER_BYTES];
    (void)snprintf(first, sizeof first, "  %.*s. ", (int)digits, line);
    render_wrapped(first, line + digits + 2, out);
  } else {
    render_wrapped(bullet, line, out);
  }
}

static void list(const struct render_options *o, const char *title, const json_t *lines,
                 const char *bullet, struct uw_buf *out) {
  if (json_array_size(lines) == 0) {
    return;
  }
  heading(o, title, out);
  for (size_t i = 0; i < json_array_size(lines); i++) {
    const char *line = json_string_value(json_array_get(lines, i));
    item(bullet, line != NULL ? line : "-", out);
  }
}

/* --- the hosts side by side -------------------------------------------------------------- */

#define STATE_BYTES 64

static const char *const titles[] = {"HOST",  "ROLE", "NOVA-COMPUTE", "CLASS",
                                     "STATE", "JOB",  "VCPU"};
#define COLUMNS (sizeof titles / sizeof titles[0])

static const char *role_of(const json_t *verdict, const char *host) {
  const json_t *migration = json_object_get(json_object_get(verdict, "nova"), "migration");
  bool record = strcmp(text(verdict, "record_host"), host) == 0;
  bool source = strcmp(text(migration, "source"), host) == 0;
  bool dest = strcmp(text(migration, "dest"), host) == 0;
  if (record) {
    return source ? "record, source" : dest ? "record, dest" : "record";
  }
  return source ? "source" : dest ? "dest" : "-";
}

static const char *vcpu_of(const json_t *host) {
  const json_t *value = json_object_get(host, "vcpu_advancing");
  if (json_is_true(value)) {
    return "advancing";
  }
  /* An idle guest uses next to none: not seen is no sign of death. */
  return json_is_false(value) ? "not seen" : "-";
}

/* "running (migrated)", or how far the look came when libvirt did not get to say. */
static const char *state_of(const json_t *host, char out[STATE_BYTES]) {
  const char *state = uw_json_str(host, "state", "");
  const char *reach = uw_json_str(host, "reach", "");
  if (state[0] != '\0') {
    (void)snprintf(out, STATE_BYTES, "%s (%s)", state, text(host, "reason"));
  } else {
    (void)snprintf(out, STATE_BYTES, "%s", strcmp(reach, "ok") == 0 ? "-" : reach);
  }
  return out;
}

static void host_table(const json_t *verdict, struct uw_buf *out) {
  const json_t *hosts = json_object_get(verdict, "hosts");
  const json_t *services = json_object_get(json_object_get(verdict, "nova"), "services");
  size_t width[COLUMNS];
  if (json_array_size(hosts) == 0) {
    uw_buf_puts(out, "  no host was looked at\n");
    return;
  }
  for (size_t c = 0; c < COLUMNS; c++) {
    width[c] = strlen(titles[c]);
  }
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i <= json_array_size(hosts); i++) {
      const json_t *h = i == 0 ? NULL : json_array_get(hosts, i - 1);
      const char *name = h == NULL ? "" : text(h, "host");
      char state[STATE_BYTES];
      const char *row[COLUMNS] = {name,
                                  role_of(verdict, name),
                                  text(services, name),
                                  text(h, "class"),
                                  state_of(h, state),
                                  text(h, "job"),
                                  vcpu_of(h)};
      for (size_t c = 0; c < COLUMNS; c++) {
        const char *cell = h == NULL ? titles[c] : row[c];
        size_t len = strlen(cell);
        if (pass == 0) {
          width[c] = len > width[c] ? len : width[c];
        } else {
          uw_buf_printf(out, c + 1 < COLUMNS ? "%s%-*s" : "%s%.*s", "  ",
                        c + 1 < COLUMNS ? (int)width[c] : (int)len, cell);
        }
      }
      if (pass == 1) {
        uw_buf_puts(out, "\n");
        const char *detail = h == NULL ? "" : uw_json_str(h, "detail", "");
        if (detail[0] != '\0') {
          render_wrapped("      ", detail, out);
        }
      }
    }
  }
}

/* --- the whole --------------------------------------------------------------------------- */

static void why(const json_t *verdict, const struct render_options *o, struct uw_buf *out) {
  const json_t *reasons = json_object_get(verdict, "reasons");
  heading(o, "why", out);
  for (size_t i = 0; i < json_array_size(reasons); i++) {
    const json_t *r = json_array_get(reasons, i);
    uw_buf_printf(out, "  %s %s\n", text(r, "code"), text(r, "name"));
    render_wrapped("      ", text(r, "text"), out);
  }
  const json_t *nova = json_object_get(verdict, "nova");
  const json_t *migration = json_object_get(nova, "migration");
  if (!json_is_string(json_object_get(nova, "vm_state"))) {
    uw_buf_puts(out, "  nova: what it has on record could not be read\n");
    return;
  }
  uw_buf_printf(out, "  nova: vm_state %s, task_state %s, host %s, updated %s\n",
                text(nova, "vm_state"), text(nova, "task_state"), text(verdict, "record_host"),
                text(nova, "updated"));
  if (json_is_object(migration)) {
    uw_buf_printf(out, "  migration: %" JSON_INTEGER_FORMAT " %s, %s -> %s\n",
                  (json_int_t)uw_json_int(migration, "id", -1), text(migration, "status"),
                  text(migration, "source"), text(migration, "dest"));
  } else {
    uw_buf_puts(out, "  migration: no record\n");
  }
}

static void ticket(const json_t *verdict, const struct render_options *o, struct uw_buf *out) {
  const json_t *observed = json_object_get(verdict, "observed");
  heading(o, "for the ticket", out);
  uw_buf_printf(out,
                "  unwedge " UW_VERSION ": %s %s %s\n"
                "  instance %s (%s), record host %s, owner %s\n"
                "  seen in %" JSON_INTEGER_FORMAT " round%s over %" JSON_INTEGER_FORMAT
                " ms, observation %s\n"
                "  evidence %s\n  policy   %s\n",
                text(verdict, "verdict"), text(verdict, "code"), text(verdict, "code_name"),
                text(verdict, "name"), text(verdict, "instance"), text(verdict, "record_host"),
                text(verdict, "owner"), (json_int_t)uw_json_int(observed, "rounds", 0),
                uw_json_int(observed, "rounds", 0) == 1 ? "" : "s",
                (json_int_t)uw_json_int(observed, "window_ms", 0),
                json_is_true(json_object_get(observed, "complete")) ? "complete" : "not complete",
                text(verdict, "evidence_digest"), text(verdict, "policy_digest"));
}

static void read_on(const json_t *verdict, const struct render_options *o, struct uw_buf *out) {
  const char *kind = text(verdict, "verdict");
  uw_buf_printf(out, "\nsee: unwedge explain %s", text(verdict, "code"));
  if (strcmp(kind, "REFUSE") == 0 || strcmp(kind, "UNKNOWN") == 0) {
    uw_buf_puts(out, "; unwedge explain break-glass");
  }
  if (o->saved[0] != '\0') {
    uw_buf_printf(out, "\nevidence: %s", o->saved);
  }
  uw_buf_puts(out, "\n");
}

void render_verdict(const json_t *document, const struct render_options *options,
                    struct uw_buf *out) {
  json_t *verdict = clean_copy(document, DEPTH);
  if (verdict == NULL) {
    out->failed = true;
    return;
  }
  const char *kind = text(verdict, "verdict");
  uw_buf_printf(out, " verdict: %s%s%s  %s %s\n", options->color ? color_of(kind) : "", kind,
                options->color ? "\033[0m" : "", text(verdict, "code"), text(verdict, "code_name"));
  uw_buf_printf(out, "instance: %s (%s)\n", text(verdict, "name"), text(verdict, "instance"));
  render_wrapped("   guest: ", text(verdict, "guest"), out);
  uw_buf_puts(out, "\n");
  host_table(verdict, out);
  why(verdict, options, out);
  list(options, "do now", json_object_get(verdict, "next"), "  - ", out);
  const char *again = uw_json_str(verdict, "look_again_at", "");
  if (again[0] != '\0') {
    uw_buf_printf(out, "  next look: %s\n", again);
  }
  list(options, "never", json_object_get(verdict, "never"), "  - ", out);
  list(options, "residue", json_object_get(verdict, "residue"), "  - ", out);
  ticket(verdict, options, out);
  read_on(verdict, options, out);
  json_decref(verdict);
}

void render_residue(const json_t *document, struct uw_buf *out) {
  const struct render_options plain = {.color = false, .saved = ""};
  json_t *lines = clean_copy(json_object_get(document, "residue"), DEPTH);
  list(&plain, "residue", lines, "  - ", out);
  json_decref(lines);
}
