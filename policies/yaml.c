#include "policies/yaml.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define INT_DIGITS 16 /* more digits than 2^53 has are out of any range */

int pol_fail(struct pol_error *error, const char *format, ...) {
  if (error != NULL) {
    va_list ap;
    va_start(ap, format);
    if (vsnprintf(error->text, sizeof error->text, format, ap) < 0) {
      error->text[0] = '\0';
    }
    va_end(ap);
  }
  return -1;
}

/* ---- Characters ---- */

/* Decodes one character of UTF-8; its length, 0 when it is not valid (RFC 3629). */
static size_t decode(const unsigned char *at, size_t left, uint32_t *out) {
  size_t len = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
  if (len == 0 || len > left || at[0] > 0xF4) {
    return 0;
  }
  uint32_t point = len == 1 ? at[0] : at[0] & (0xFFu >> (len + 1));
  for (size_t i = 1; i < len; i++) {
    if ((at[i] & 0xC0) != 0x80) {
      return 0;
    }
    point = (point << 6) | (at[i] & 0x3Fu);
  }
  bool overlong = (len == 3 && point < 0x800) || (len == 4 && point < 0x10000);
  bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (overlong || surrogate || point > 0x10FFFF) {
    return 0;
  }
  *out = point;
  return len;
}

/* Control characters and those that change how a line is shown without being seen themselves. */
static bool is_hidden(uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x200B && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F) ||
         point == 0xFEFF || (point >= 0xFFF9 && point <= 0xFFFF);
}

/* Offset of the first hidden character of n valid bytes, n when there is none. */
static size_t find_hidden(const unsigned char *text, size_t n) {
  size_t at = 0;
  while (at < n) {
    uint32_t point = 0;
    size_t len = decode(text + at, n - at, &point);
    if (len == 0 || is_hidden(point)) {
      return at;
    }
    at += len;
  }
  return n;
}

static int check_bytes(const char *name, const char *bytes, size_t n, struct pol_error *error) {
  const unsigned char *text = (const unsigned char *)bytes;
  long line = 1;
  size_t at = 0;
  while (at < n) {
    uint32_t point = 0;
    size_t len = decode(text + at, n - at, &point);
    if (len == 0) {
      return pol_fail(error, "%s:%ld: byte 0x%02x is not valid UTF-8; save the file as UTF-8", name,
                      line, text[at]);
    }
    if (point == '\n') {
      line++;
    } else if (point == '\t') {
      return pol_fail(error, "%s:%ld: a tab character; use spaces", name, line);
    } else if (point == '\r' && at + 1 < n && text[at + 1] == '\n') {
      /* A line end of another system. */
    } else if (is_hidden(point)) {
      return pol_fail(error, "%s:%ld: control or invisible character U+%04lX; remove it", name,
                      line, (unsigned long)point);
    }
    at += len;
  }
  return 0;
}

/* ---- Building the tree ---- */

struct builder {
  struct pol_yaml *yaml;
  struct pol_yaml_node *open[POL_YAML_DEPTH]; /* the containers that are not closed yet */
  size_t depth;
  char *key; /* owned: the key whose value comes next */
  int64_t key_line;
  int documents;
  struct pol_error *error;
};

static struct pol_yaml_node *innermost(const struct builder *b) {
  return b->depth > 0 ? b->open[b->depth - 1] : NULL;
}

static int fail_at(const struct builder *b, int64_t line, const char *what) {
  return pol_fail(b->error, "%s:%lld: %s", b->yaml->name, (long long)line, what);
}

static int no_memory(const struct builder *b) {
  return pol_fail(b->error, "%s: not enough memory to read it; free some and try again",
                  b->yaml->name);
}

static char *copy_text(const char *text, size_t n) {
  char *copy = malloc(n + 1);
  if (copy != NULL) {
    if (n > 0) {
      memcpy(copy, text, n);
    }
    copy[n] = '\0';
  }
  return copy;
}

/* Adds a node under the innermost container; NULL when it may not be (error set). */
static struct pol_yaml_node *add_node(struct builder *b, enum pol_yaml_kind kind, int64_t line) {
  if (b->yaml->count >= POL_YAML_NODES) {
    (void)pol_fail(b->error, "%s:%lld: more than %d values; make the file smaller", b->yaml->name,
                   (long long)line, POL_YAML_NODES);
    return NULL;
  }
  struct pol_yaml_node *parent = innermost(b);
  if (parent != NULL && parent->children >= POL_YAML_MEMBERS) {
    (void)pol_fail(b->error, "%s:%lld: more than %d members in one map or list; remove some",
                   b->yaml->name, (long long)line, POL_YAML_MEMBERS);
    return NULL;
  }
  struct pol_yaml_node *node = calloc(1, sizeof *node);
  if (node == NULL) {
    (void)no_memory(b);
    return NULL;
  }
  node->kind = kind;
  node->line = b->key != NULL ? b->key_line : line;
  node->key = b->key;
  b->key = NULL;
  node->allocated = b->yaml->nodes;
  b->yaml->nodes = node;
  b->yaml->count++;
  node->parent = parent;
  if (parent == NULL) {
    b->yaml->root = node;
    return node;
  }
  node->position = parent->children++;
  if (parent->last != NULL) {
    parent->last->next = node;
  } else {
    parent->first = node;
  }
  parent->last = node;
  return node;
}

static int open_container(struct builder *b, enum pol_yaml_kind kind, const yaml_event_t *event,
                          const yaml_char_t *anchor, const yaml_char_t *tag) {
  int64_t line = (int64_t)event->start_mark.line + 1;
  const struct pol_yaml_node *parent = innermost(b);
  if (anchor != NULL) {
    return fail_at(b, line, "an anchor (&name); write the value out where it is needed");
  }
  if (tag != NULL) {
    return fail_at(b, line, "a tag (!name); remove it");
  }
  if (parent != NULL && parent->kind == POL_YAML_MAP && b->key == NULL) {
    return fail_at(b, line, "a map or list in the place of a key; keys are plain names");
  }
  if (b->depth >= POL_YAML_DEPTH) {
    return pol_fail(b->error, "%s:%lld: nested more than %d deep; nothing here needs that",
                    b->yaml->name, (long long)line, POL_YAML_DEPTH);
  }
  struct pol_yaml_node *node = add_node(b, kind, line);
  if (node == NULL) {
    return -1;
  }
  b->open[b->depth++] = node;
  return 0;
}

static int take_key(struct builder *b, const char *text, size_t n, int64_t line) {
  if (n == 0 || n >= POL_YAML_KEY_BYTES) {
    return fail_at(b, line,
                   n == 0 ? "an empty key; write a name before the colon"
                          : "a key is too long; see the documentation for its name");
  }
  if (n == 2 && memcmp(text, "<<", 2) == 0) {
    return fail_at(b, line, "a merge key (<<); write the values out where they are needed");
  }
  b->key = copy_text(text, n);
  b->key_line = line;
  if (b->key == NULL) {
    return no_memory(b);
  }
  const struct pol_yaml_node *before = pol_yaml_member(innermost(b), b->key);
  if (before != NULL) {
    char path[POL_YAML_PATH_BYTES];
    pol_yaml_path(before, path);
    return pol_fail(b->error, "%s:%lld: key '%s': given twice, first on line %lld; remove one",
                    b->yaml->name, (long long)line, path, (long long)before->line);
  }
  return 0;
}

static int take_scalar(struct builder *b, const yaml_event_t *event) {
  int64_t line = (int64_t)event->start_mark.line + 1;
  const char *text = (const char *)event->data.scalar.value;
  size_t n = event->data.scalar.length;
  const struct pol_yaml_node *parent = innermost(b);
  if (event->data.scalar.anchor != NULL) {
    return fail_at(b, line, "an anchor (&name); write the value out where it is needed");
  }
  if (event->data.scalar.tag != NULL) {
    return fail_at(b, line, "a tag (!name); remove it");
  }
  if (find_hidden(event->data.scalar.value, n) != n) {
    return fail_at(b, line,
                   "a control or invisible character, or a second line, in a text; "
                   "write the text in one line");
  }
  if (parent != NULL && parent->kind == POL_YAML_MAP && b->key == NULL) {
    return take_key(b, text, n, line);
  }
  if (n >= POL_YAML_TEXT_BYTES) {
    return pol_fail(b->error, "%s:%lld: a text of more than %d bytes; shorten it", b->yaml->name,
                    (long long)line, POL_YAML_TEXT_BYTES - 1);
  }
  struct pol_yaml_node *node = add_node(b, POL_YAML_SCALAR, line);
  if (node == NULL) {
    return -1;
  }
  node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  node->text = copy_text(text, n);
  return node->text != NULL ? 0 : no_memory(b);
}

static int take_document(struct builder *b, const yaml_event_t *event) {
  int64_t line = (int64_t)event->start_mark.line + 1;
  if (b->documents++ > 0) {
    return fail_at(b, line, "a second document (---); one file holds one");
  }
  if (event->data.document_start.version_directive != NULL ||
      event->data.document_start.tag_directives.start !=
          event->data.document_start.tag_directives.end) {
    return fail_at(b, line, "a directive (%); remove it");
  }
  return 0;
}

static int take_event(struct builder *b, const yaml_event_t *event) {
  switch (event->type) {
  case YAML_NO_EVENT:
  case YAML_STREAM_START_EVENT:
  case YAML_STREAM_END_EVENT:
  case YAML_DOCUMENT_END_EVENT: return 0;
  case YAML_DOCUMENT_START_EVENT: return take_document(b, event);
  case YAML_ALIAS_EVENT:
    return fail_at(b, (int64_t)event->start_mark.line + 1,
                   "an alias (*name); write the value out where it is needed");
  case YAML_SCALAR_EVENT: return take_scalar(b, event);
  case YAML_SEQUENCE_START_EVENT:
    return open_container(b, POL_YAML_LIST, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
  case YAML_MAPPING_START_EVENT:
    return open_container(b, POL_YAML_MAP, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    if (b->depth > 0) {
      b->depth--;
    }
    return 0;
  }
  return fail_at(b, (int64_t)event->start_mark.line + 1, "not understood; see the documentation");
}

static int syntax_error(const struct builder *b, const yaml_parser_t *parser) {
  if (parser->error == YAML_MEMORY_ERROR) {
    return no_memory(b);
  }
  const char *context = parser->context != NULL ? parser->context : "";
  return pol_fail(b->error, "%s:%llu: not valid YAML: %s%s%s; correct this line or the one before",
                  b->yaml->name, (unsigned long long)parser->problem_mark.line + 1,
                  parser->problem != NULL ? parser->problem : "cannot be parsed",
                  context[0] != '\0' ? ", " : "", context);
}

/* Ends by itself: every event adds or closes a node, and the nodes are bounded. */
static int run_parser(struct builder *b, yaml_parser_t *parser) {
  for (;;) {
    yaml_event_t event;
    if (yaml_parser_parse(parser, &event) == 0) {
      return syntax_error(b, parser);
    }
    bool end = event.type == YAML_STREAM_END_EVENT;
    int result = take_event(b, &event);
    yaml_event_delete(&event);
    if (result != 0 || end) {
      return result;
    }
  }
}

static int build(struct builder *b, const char *bytes, size_t n) {
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) {
    return no_memory(b);
  }
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, n);
  int result = run_parser(b, &parser);
  yaml_parser_delete(&parser);
  free(b->key);
  b->key = NULL;
  if (result != 0) {
    return -1;
  }
  const struct pol_yaml_node *root = b->yaml->root;
  if (root == NULL || (root->kind == POL_YAML_SCALAR && root->text[0] == '\0')) {
    return pol_fail(b->error, "%s:1: the file is empty; write at least one key", b->yaml->name);
  }
  if (root->kind != POL_YAML_MAP || root->first == NULL) {
    return fail_at(b, root->line, "not a map of keys; write lines of the form 'key: value'");
  }
  return 0;
}

int pol_yaml_parse(const char *bytes, size_t n, const char *name, struct pol_yaml **ret,
                   struct pol_error *error) {
  *ret = NULL;
  if (n > POL_YAML_FILE_BYTES) {
    return pol_fail(error, "%s: larger than %zu bytes; make it smaller", name, POL_YAML_FILE_BYTES);
  }
  if (check_bytes(name, bytes, n, error) != 0) {
    return -1;
  }
  struct pol_yaml *yaml = calloc(1, sizeof *yaml);
  if (yaml == NULL) {
    return pol_fail(error, "%s: not enough memory to read it; free some and try again", name);
  }
  yaml->name = name;
  struct builder b = {.yaml = yaml, .error = error};
  if (build(&b, bytes, n) != 0) {
    pol_yaml_free(yaml);
    return -1;
  }
  *ret = yaml;
  return 0;
}

void pol_yaml_free(struct pol_yaml *yaml) {
  if (yaml == NULL) {
    return;
  }
  while (yaml->nodes != NULL) {
    struct pol_yaml_node *node = yaml->nodes;
    yaml->nodes = node->allocated;
    free(node->key);
    free(node->text);
    free(node);
  }
  free(yaml);
}

/* ---- Reading the tree ---- */

const struct pol_yaml_node *pol_yaml_member(const struct pol_yaml_node *map, const char *key) {
  if (map == NULL || map->kind != POL_YAML_MAP) {
    return NULL;
  }
  for (const struct pol_yaml_node *child = map->first; child != NULL; child = child->next) {
    if (strcmp(child->key, key) == 0) {
      return child;
    }
  }
  return NULL;
}

void pol_yaml_path(const struct pol_yaml_node *node, char out[POL_YAML_PATH_BYTES]) {
  const struct pol_yaml_node *way[POL_YAML_DEPTH + 1];
  size_t steps = 0;
  out[0] = '\0';
  for (; node != NULL && node->parent != NULL && steps <= POL_YAML_DEPTH; node = node->parent) {
    way[steps++] = node;
  }
  size_t used = 0;
  while (steps > 0 && used < POL_YAML_PATH_BYTES) {
    const struct pol_yaml_node *at = way[--steps];
    size_t room = POL_YAML_PATH_BYTES - used;
    int wrote = at->key != NULL ? snprintf(out + used, room, "%s%s", used > 0 ? "." : "", at->key)
                                : snprintf(out + used, room, "[%lld]", (long long)at->position + 1);
    used += wrote > 0 ? (size_t)wrote : 0;
  }
}

int pol_yaml_fail(const struct pol_yaml *yaml, const struct pol_yaml_node *node,
                  struct pol_error *error, const char *format, ...) {
  char path[POL_YAML_PATH_BYTES];
  char what[POL_ERROR_BYTES];
  va_list ap;
  va_start(ap, format);
  if (vsnprintf(what, sizeof what, format, ap) < 0) {
    what[0] = '\0';
  }
  va_end(ap);
  pol_yaml_path(node, path);
  if (path[0] == '\0') {
    return pol_fail(error, "%s:%lld: %s", yaml->name, (long long)node->line, what);
  }
  return pol_fail(error, "%s:%lld: key '%s': %s", yaml->name, (long long)node->line, path, what);
}

static bool is_null(const struct pol_yaml_node *node) {
  static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
  for (size_t i = 0; node->kind == POL_YAML_SCALAR && node->plain && i < 5; i++) {
    if (strcmp(node->text, nulls[i]) == 0) {
      return true;
    }
  }
  return false;
}

static const char *kind_name(const struct pol_yaml_node *node) {
  switch (node->kind) {
  case POL_YAML_NONE: break;
  case POL_YAML_MAP: return "a map";
  case POL_YAML_LIST: return "a list";
  case POL_YAML_SCALAR: return is_null(node) ? "nothing" : "a single value";
  }
  return "nothing";
}

int pol_yaml_expect(const struct pol_yaml *yaml, const struct pol_yaml_node *node,
                    enum pol_yaml_kind kind, int64_t max, struct pol_error *error) {
  static const char *const wanted[] = {
      [POL_YAML_NONE] = "nothing",
      [POL_YAML_MAP] = "a map of keys",
      [POL_YAML_LIST] = "a list, as in [one, two]",
      [POL_YAML_SCALAR] = "a single value",
  };
  if (node->kind != kind || is_null(node)) {
    return pol_yaml_fail(yaml, node, error, "is %s; write %s, or remove the key", kind_name(node),
                         wanted[kind]);
  }
  if (kind != POL_YAML_SCALAR && node->children == 0) {
    return pol_yaml_fail(yaml, node, error, "is empty; write %s, or remove the key", wanted[kind]);
  }
  if (kind != POL_YAML_SCALAR && node->children > max) {
    return pol_yaml_fail(yaml, node, error, "has %lld members; at most %lld are allowed",
                         (long long)node->children, (long long)max);
  }
  return 0;
}

/* 1 when text is a plain decimal integer of up to INT_DIGITS digits. */
static int parse_int(const char *text, int64_t *out) {
  int64_t value = 0;
  const char *digit = text[0] == '-' ? text + 1 : text;
  size_t n = strlen(digit);
  if (n == 0 || n > INT_DIGITS || (digit[0] == '0' && (n > 1 || digit != text))) {
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    if (digit[i] < '0' || digit[i] > '9') {
      return 0;
    }
    value = value * 10 + (digit[i] - '0');
  }
  *out = digit == text ? value : -value;
  return 1;
}

int pol_yaml_int(const struct pol_yaml *yaml, const struct pol_yaml_node *node, int64_t min,
                 int64_t max, const char *unit, int64_t *out, struct pol_error *error) {
  int64_t value = 0;
  const char *space = unit[0] != '\0' ? " " : "";
  if (pol_yaml_expect(yaml, node, POL_YAML_SCALAR, 1, error) != 0) {
    return -1;
  }
  if (!node->plain || !parse_int(node->text, &value)) {
    return pol_yaml_fail(yaml, node, error,
                         "'%.60s' is not a whole number; write digits only, from %lld to %lld%s%s",
                         node->text, (long long)min, (long long)max, space, unit);
  }
  if (value < min || value > max) {
    return pol_yaml_fail(yaml, node, error,
                         "%lld is out of range; write a number from %lld to %lld%s%s",
                         (long long)value, (long long)min, (long long)max, space, unit);
  }
  *out = value;
  return 0;
}

int pol_yaml_bool(const struct pol_yaml *yaml, const struct pol_yaml_node *node, int64_t *out,
                  struct pol_error *error) {
  if (pol_yaml_expect(yaml, node, POL_YAML_SCALAR, 1, error) != 0) {
    return -1;
  }
  bool yes = node->plain && strcmp(node->text, "true") == 0;
  if (!yes && (!node->plain || strcmp(node->text, "false") != 0)) {
    return pol_yaml_fail(yaml, node, error,
                         "'%.60s' is neither true nor false; write one of them without quotes",
                         node->text);
  }
  *out = yes ? 1 : 0;
  return 0;
}

int pol_yaml_text(const struct pol_yaml *yaml, const struct pol_yaml_node *node, char *out,
                  size_t n, struct pol_error *error) {
  if (pol_yaml_expect(yaml, node, POL_YAML_SCALAR, 1, error) != 0) {
    return -1;
  }
  size_t len = strlen(node->text);
  if (len == 0) {
    return pol_yaml_fail(yaml, node, error, "is empty; write a value, or remove the key");
  }
  if (len >= n) {
    return pol_yaml_fail(yaml, node, error, "is %zu bytes long; at most %zu are allowed", len,
                         n - 1);
  }
  memcpy(out, node->text, len + 1);
  return 0;
}

static void list_keys(const char *const *known, size_t n, char *out, size_t room) {
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < n && used < room; i++) {
    int wrote = snprintf(out + used, room - used, "%s%s", i > 0 ? ", " : "", known[i]);
    used += wrote > 0 ? (size_t)wrote : 0;
  }
}

int pol_yaml_only_keys(const struct pol_yaml *yaml, const struct pol_yaml_node *map,
                       const char *const *known, size_t n, struct pol_error *error) {
  for (const struct pol_yaml_node *child = map->first; child != NULL; child = child->next) {
    bool found = false;
    for (size_t i = 0; i < n && !found; i++) {
      found = strcmp(child->key, known[i]) == 0;
    }
    if (!found) {
      char names[POL_ERROR_BYTES / 2];
      list_keys(known, n, names, sizeof names);
      return pol_yaml_fail(yaml, child, error, "is not known; known here: %s", names);
    }
  }
  return 0;
}
