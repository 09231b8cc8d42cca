#include "agent/probe/request.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/json.h"
#include "agent/libvirt/probe.h"

static const struct {
  const char *name;
  enum request_op op;
} ops[] = {{"look", OP_LOOK},
           {"list", OP_LIST},
           {"stats", OP_STATS},
           {"caps", OP_CAPS},
           {"compare", OP_COMPARE}};

static int read_text(int fd, struct uw_buf *text, struct uw_err *err) {
  char block[4096];
  text->max = REQUEST_MAX_BYTES;
  for (;;) {
    ssize_t got = read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return uw_err_set(err, UW_EXIT_USAGE, "cannot read the request from stdin");
    }
    if (got == 0) {
      return 0;
    }
    uw_buf_add(text, block, (size_t)got);
    if (text->failed) {
      return uw_err_set(err, UW_EXIT_USAGE, "the request is larger than %zu bytes",
                        REQUEST_MAX_BYTES);
    }
  }
}

static bool take_uuid(const char *text, char out[37]) {
  if (text == NULL || strlen(text) != 36) {
    return false;
  }
  for (size_t i = 0; i < 36; i++) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) {
      return false;
    }
    out[i] = (char)tolower((unsigned char)text[i]);
  }
  out[36] = '\0';
  return true;
}

static int take_instances(const json_t *list, struct request *r, struct uw_err *err) {
  size_t n = json_array_size(list);
  if (list != NULL && (!json_is_array(list) || n > REQUEST_MAX_INSTANCES)) {
    return uw_err_set(err, UW_EXIT_USAGE, "'instances' is not a list of at most %d",
                      REQUEST_MAX_INSTANCES);
  }
  for (size_t i = 0; i < n; i++) {
    if (!take_uuid(json_string_value(json_array_get(list, i)), r->instance[i])) {
      return uw_err_set(err, UW_EXIT_USAGE, "'instances' has something that is not a UUID");
    }
  }
  r->instances = n;
  if (n == 0 && (r->op == OP_LOOK || r->op == OP_STATS)) {
    return uw_err_set(err, UW_EXIT_USAGE, "'instances' is empty");
  }
  return 0;
}

static int take_cpu(const char *text, struct request *r, struct uw_err *err) {
  if ((text != NULL) != (r->op == OP_COMPARE)) {
    return uw_err_set(err, UW_EXIT_USAGE, "'cpu_xml' belongs to op compare, and only there");
  }
  if (text == NULL) {
    return 0;
  }
  if (strlen(text) >= REQUEST_CPU_BYTES) {
    return uw_err_set(err, UW_EXIT_USAGE, "'cpu_xml' is larger than %zu bytes", REQUEST_CPU_BYTES);
  }
  r->cpu_xml = strdup(text);
  return r->cpu_xml != NULL ? 0 : uw_err_set(err, UW_EXIT_USAGE, "out of memory");
}

static int take_uri(const char *uri, struct request *r, struct uw_err *err) {
  char warn[UW_ERR_TEXT_BYTES];
  if (strlen(uri) >= sizeof r->uri) {
    return uw_err_set(err, UW_EXIT_USAGE, "'uri' is too long");
  }
  memcpy(r->uri, uri, strlen(uri) + 1);
  return probe_uri_check(uri, warn, err);
}

static int take_op(const char *name, struct request *r, struct uw_err *err) {
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    if (strcmp(ops[i].name, name) == 0) {
      r->op = ops[i].op;
      r->op_name = ops[i].name;
      return 0;
    }
  }
  return uw_err_set(err, UW_EXIT_USAGE, "'op' is none of look, list, stats, caps, compare");
}

static int take_all(json_t *json, struct request *r, struct uw_err *err) {
  const char *schema = NULL;
  const char *op = NULL;
  const char *uri = NULL;
  const char *cpu = NULL;
  json_t *instances = NULL;
  json_int_t deadline = 0;
  int gentle = 0;
  int monitor = 0;
  json_error_t why;
  if (json_unpack_ex(json, &why, JSON_STRICT, "{s:s, s:s, s:s, s:I, s?o, s?b, s?b, s?s}", "schema",
                     &schema, "op", &op, "uri", &uri, "deadline_ms", &deadline, "instances",
                     &instances, "gentle", &gentle, "monitor", &monitor, "cpu_xml", &cpu) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "the request is malformed: %s", why.text);
  }
  if (strcmp(schema, REQUEST_SCHEMA) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "the request's schema is not " REQUEST_SCHEMA);
  }
  if (deadline < REQUEST_MIN_MS || deadline > REQUEST_MAX_MS) {
    return uw_err_set(err, UW_EXIT_USAGE, "'deadline_ms' is not %d..%d", REQUEST_MIN_MS,
                      REQUEST_MAX_MS);
  }
  r->deadline_ms = deadline;
  r->gentle = gentle != 0;
  r->monitor = monitor != 0;
  if (take_op(op, r, err) != 0) {
    return -1;
  }
  if ((r->gentle || r->monitor) && (r->op != OP_LOOK || r->gentle == r->monitor)) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "'gentle' and 'monitor' exclude each other and belong "
                      "to op look");
  }
  if (take_uri(uri, r, err) != 0 || take_instances(instances, r, err) != 0) {
    return -1;
  }
  return take_cpu(cpu, r, err);
}

int request_read(int fd, struct request *r, struct uw_err *err) {
  struct uw_buf text = {0};
  json_t *json = NULL;
  int result = -1;
  memset(r, 0, sizeof *r);
  r->op_name = "none";
  if (read_text(fd, &text, err) == 0) {
    json = uw_json_parse(uw_buf_text(&text), text.len, "request", UW_EXIT_USAGE, err);
  }
  if (json != NULL) {
    result = take_all(json, r, err);
  }
  json_decref(json);
  uw_buf_free(&text);
  return result;
}

void request_free(struct request *r) {
  free(r->cpu_xml);
  r->cpu_xml = NULL;
}
