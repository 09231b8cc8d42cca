#include "policies/policy.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policies/fields.h"

#define UUID_CHARS 36
#define PROJECT_BYTES 65 /* one project id, with its NUL */

#define PARAM_INFO(type, id, field, name, unit, min, max, lab_min, def, stricter, doc)             \
  [POL_PARAM_##id] = {POL_PARAM_##id,                                                              \
                      POL_TYPE_##type,                                                             \
                      POL_STRICTER_##stricter,                                                     \
                      name,                                                                        \
                      unit,                                                                        \
                      doc,                                                                         \
                      min,                                                                         \
                      max,                                                                         \
                      lab_min,                                                                     \
                      def,                                                                         \
                      offsetof(struct pol_policy, field)},

static const struct pol_param_info params[POL_PARAM_END] = {POL_PARAMS(PARAM_INFO)};

struct statement {
  int64_t bit;
  const char *name;
};
static const struct statement statements[] = {
    {RCV_ATTEST_COMPUTE_STOPPED, "compute-stopped"},
    {RCV_ATTEST_COMPUTE_RESTARTED, "compute-restarted"},
    {RCV_ATTEST_QUEUE_EMPTY, "queue-empty"},
    {RCV_ATTEST_HOST_GONE, "host-gone"},
    {RCV_ATTEST_HOST_FENCED, "host-fenced"},
};
#define STATEMENTS (sizeof statements / sizeof statements[0])

const struct pol_param_info *pol_param_info(enum pol_param param) {
  return param > POL_PARAM_NONE && param < POL_PARAM_END ? &params[param] : NULL;
}

const struct pol_param_info *pol_param_find(const char *name) {
  for (int i = 1; i < (int)POL_PARAM_END; i++) {
    if (strcmp(params[i].name, name) == 0) {
      return &params[i];
    }
  }
  return NULL;
}

int64_t pol_attest_find(const char *name) {
  for (size_t i = 0; i < STATEMENTS; i++) {
    if (strcmp(statements[i].name, name) == 0) {
      return statements[i].bit;
    }
  }
  return 0;
}

const char *pol_attest_name(int64_t bit) {
  for (size_t i = 0; i < STATEMENTS; i++) {
    if (statements[i].bit == bit) {
      return statements[i].name;
    }
  }
  return NULL;
}

static bool is_number(const struct pol_param_info *info) {
  return info->type == POL_TYPE_INT || info->type == POL_TYPE_BOOL ||
         info->type == POL_TYPE_CHOICE || info->type == POL_TYPE_MASK;
}

static void set_number(struct pol_policy *p, const struct pol_param_info *info, int64_t value) {
  *(int64_t *)pol_member_set(p, info) = value;
}

/* The end of a long path says more than its beginning. */
static void set_name(struct pol_policy *p, const char *name) {
  size_t len = strlen(name);
  if (len < sizeof p->name) {
    memcpy(p->name, name, len + 1);
  } else {
    (void)snprintf(p->name, sizeof p->name, "...%s", name + len - (sizeof p->name - 4));
  }
}

void pol_default(struct pol_policy *out) {
  memset(out, 0, sizeof *out);
  for (int i = 1; i < (int)POL_PARAM_END; i++) {
    if (is_number(&params[i])) {
      set_number(out, &params[i], params[i].def);
    }
  }
  set_name(out, "default");
  out->valid = 1;
}

/* ---- Loading ---- */

struct loader {
  const struct pol_yaml *yaml;
  struct pol_policy *out;
  struct pol_error *error;
};

static int64_t least(const struct loader *l, const struct pol_param_info *info) {
  return l->out->lab_only == 1 ? info->lab_min : info->min;
}

static int load_int(const struct loader *l, const struct pol_yaml_node *node,
                    const struct pol_param_info *info) {
  int64_t value = 0;
  int64_t min = least(l, info);
  if (pol_yaml_int(l->yaml, node, info->lab_min, info->max, info->unit, &value, l->error) != 0) {
    return -1;
  }
  if (value < min) {
    return pol_yaml_fail(l->yaml, node, l->error,
                         "%lld is below %lld %s, the least in production; write %lld to %lld (only "
                         "a policy with lab_only: true may go down to %lld)",
                         (long long)value, (long long)min, info->unit, (long long)min,
                         (long long)info->max, (long long)info->lab_min);
  }
  set_number(l->out, info, value);
  return 0;
}

static int load_bool(const struct loader *l, const struct pol_yaml_node *node,
                     const struct pol_param_info *info) {
  int64_t value = 0;
  if (pol_yaml_bool(l->yaml, node, &value, l->error) != 0) {
    return -1;
  }
  if (value < least(l, info)) {
    return pol_yaml_fail(l->yaml, node, l->error,
                         "must be true; only a policy with lab_only: true may say false");
  }
  set_number(l->out, info, value);
  return 0;
}

static int load_choice(const struct loader *l, const struct pol_yaml_node *node,
                       const struct pol_param_info *info) {
  char text[32];
  if (pol_yaml_text(l->yaml, node, text, sizeof text, l->error) != 0) {
    return -1;
  }
  if (strcmp(text, "candidates") == 0) {
    set_number(l->out, info, POL_EXCLUSIVITY_CANDIDATES);
  } else if (strcmp(text, "all") == 0) {
    set_number(l->out, info, POL_EXCLUSIVITY_ALL);
  } else {
    return pol_yaml_fail(l->yaml, node, l->error, "'%s' is not known; write candidates or all",
                         text);
  }
  return 0;
}

/* An empty list is a value of its own ("nothing"), but for `only`, which it would turn round. */
static int expect_list(const struct loader *l, const struct pol_yaml_node *node,
                       const struct pol_param_info *info, int64_t max) {
  if (node->kind == POL_YAML_LIST && node->children == 0) {
    if (info->stricter == POL_STRICTER_WITHIN) {
      return pol_yaml_fail(l->yaml, node, l->error,
                           "is empty, which would allow nothing; remove the key to allow all, or "
                           "write apply: {allow: false}");
    }
    return 0;
  }
  return pol_yaml_expect(l->yaml, node, POL_YAML_LIST, max, l->error);
}

static void name_statements(int64_t mask, char *out, size_t room) {
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < STATEMENTS && used < room; i++) {
    if ((mask & statements[i].bit) != 0) {
      int wrote =
          snprintf(out + used, room - used, "%s%s", used > 0 ? ", " : "", statements[i].name);
      used += wrote > 0 ? (size_t)wrote : 0;
    }
  }
}

static int load_mask(const struct loader *l, const struct pol_yaml_node *node,
                     const struct pol_param_info *info) {
  int64_t mask = 0;
  if (expect_list(l, node, info, (int64_t)STATEMENTS) != 0) {
    return -1;
  }
  for (const struct pol_yaml_node *item = node->first; item != NULL; item = item->next) {
    char text[RCV_TEXT_BYTES];
    char known[160];
    if (pol_yaml_text(l->yaml, item, text, sizeof text, l->error) != 0) {
      return -1;
    }
    int64_t bit = pol_attest_find(text);
    if ((bit & info->max) == 0) {
      name_statements(info->max, known, sizeof known);
      return pol_yaml_fail(l->yaml, item, l->error, "'%.60s' cannot be named here; write one of %s",
                           text, known);
    }
    if ((mask & bit) != 0) {
      return pol_yaml_fail(l->yaml, item, l->error, "'%s' is named twice; remove one", text);
    }
    mask |= bit;
  }
  set_number(l->out, info, mask);
  return 0;
}

static bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Lower-cases a UUID in place; false when it is none. */
static bool canonical_uuid(char *text) {
  if (strlen(text) != UUID_CHARS) {
    return false;
  }
  for (size_t i = 0; i < UUID_CHARS; i++) {
    if (text[i] >= 'A' && text[i] <= 'F') {
      text[i] = (char)(text[i] - 'A' + 'a');
    }
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !hex) {
      return false;
    }
  }
  return true;
}

static bool name_of(const char *text, size_t max, const char *also, bool star) {
  size_t n = strlen(text);
  if (star && n > 0 && text[n - 1] == '*') {
    n--;
  } else if (n == 0) {
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    if (!is_alnum(text[i]) && strchr(also, text[i]) == NULL) {
      return false;
    }
  }
  return n < max;
}

/* What is wrong with an entry of such a list, NULL when nothing is. May rewrite text. */
static const char *wrong_entry(enum pol_type type, char *text) {
  switch (type) {
  case POL_TYPE_UUIDS:
    return canonical_uuid(text) ? NULL : "is not a UUID; write the 36 characters of the instance";
  case POL_TYPE_PROJECTS:
    return name_of(text, PROJECT_BYTES, "-_.", false)
               ? NULL
               : "is not a project id; write the id of Keystone, not the name";
  case POL_TYPE_HOSTS:
    return name_of(text, RCV_TEXT_BYTES, "-_.:", true)
               ? NULL
               : "is not a host; write the name Nova has, or its beginning and one *";
  case POL_TYPE_NONE:
  case POL_TYPE_INT:
  case POL_TYPE_BOOL:
  case POL_TYPE_CHOICE:
  case POL_TYPE_MASK:
  case POL_TYPE_PATH:
  case POL_TYPE_FREEZE: break;
  }
  return "is not possible here; remove it";
}

static int load_texts(const struct loader *l, const struct pol_yaml_node *node,
                      const struct pol_param_info *info) {
  struct pol_texts *list = pol_member_set(l->out, info);
  if (expect_list(l, node, info, POL_LIST_MAX) != 0) {
    return -1;
  }
  for (const struct pol_yaml_node *item = node->first; item != NULL; item = item->next) {
    char *text = list->text[list->count];
    if (pol_yaml_text(l->yaml, item, text, RCV_TEXT_BYTES, l->error) != 0) {
      return -1;
    }
    const char *wrong = wrong_entry(info->type, text);
    if (wrong != NULL) {
      return pol_yaml_fail(l->yaml, item, l->error, "'%.80s' %s", item->text, wrong);
    }
    for (int64_t i = 0; i < list->count; i++) {
      if (strcmp(list->text[i], text) == 0) {
        return pol_yaml_fail(l->yaml, item, l->error, "'%.80s' is named twice; remove one", text);
      }
    }
    list->count++;
  }
  return 0;
}

static int load_freeze(const struct loader *l, const struct pol_yaml_node *node,
                       const struct pol_param_info *info) {
  struct pol_freeze *freeze = pol_member_set(l->out, info);
  if (expect_list(l, node, info, POL_WINDOWS_MAX) != 0) {
    return -1;
  }
  for (const struct pol_yaml_node *item = node->first; item != NULL; item = item->next) {
    char text[POL_WINDOW_BYTES];
    struct pol_error why = {""};
    struct pol_window *window = &freeze->window[freeze->count];
    if (pol_yaml_text(l->yaml, item, text, sizeof text, l->error) != 0) {
      return -1;
    }
    if (pol_window_parse(text, window, &why) != 0) {
      return pol_yaml_fail(l->yaml, item, l->error, "'%s' %s", text, why.text);
    }
    window->line = item->line;
    freeze->count++;
  }
  return 0;
}

static int load_path(const struct loader *l, const struct pol_yaml_node *node,
                     const struct pol_param_info *info) {
  char *path = pol_member_set(l->out, info);
  if (pol_yaml_text(l->yaml, node, path, POL_YAML_TEXT_BYTES, l->error) != 0) {
    return -1;
  }
  if (path[0] != '/') {
    return pol_yaml_fail(l->yaml, node, l->error, "'%.80s' is not an absolute path; begin with /",
                         path);
  }
  return 0;
}

static int load_param(const struct loader *l, const struct pol_yaml_node *node,
                      const struct pol_param_info *info) {
  l->out->line[info->param] = node->line;
  switch (info->type) {
  case POL_TYPE_INT: return load_int(l, node, info);
  case POL_TYPE_BOOL: return load_bool(l, node, info);
  case POL_TYPE_CHOICE: return load_choice(l, node, info);
  case POL_TYPE_MASK: return load_mask(l, node, info);
  case POL_TYPE_PATH: return load_path(l, node, info);
  case POL_TYPE_UUIDS:
  case POL_TYPE_PROJECTS:
  case POL_TYPE_HOSTS: return load_texts(l, node, info);
  case POL_TYPE_FREEZE: return load_freeze(l, node, info);
  case POL_TYPE_NONE: break;
  }
  return pol_yaml_fail(l->yaml, node, l->error, "has no type; this is a defect, report it");
}

/* The part of a parameter's name that is a key at this place, NULL when it does not belong. */
static const char *key_below(const struct pol_param_info *info, const char *section) {
  size_t n = strlen(section);
  if (n == 0) {
    return info->name;
  }
  return strncmp(info->name, section, n) == 0 && info->name[n] == '.' ? info->name + n + 1 : NULL;
}

/* The keys that may stand in a section ("" is the top), as one text. */
static void known_keys(const char *section, char *out, size_t room) {
  size_t used = 0;
  const char *last = "";
  size_t last_len = 0;
  out[0] = '\0';
  for (int i = 1; i < (int)POL_PARAM_END && used < room; i++) {
    const char *key = key_below(&params[i], section);
    size_t len = key != NULL ? strcspn(key, ".") : 0;
    if (key == NULL || (len == last_len && strncmp(key, last, len) == 0)) {
      continue;
    }
    last = key;
    last_len = len;
    int wrote = snprintf(out + used, room - used, "%s%.*s", used > 0 ? ", " : "", (int)len, key);
    used += wrote > 0 ? (size_t)wrote : 0;
  }
}

static int unknown_key(const struct loader *l, const struct pol_yaml_node *node,
                       const char *section) {
  char names[POL_ERROR_BYTES / 2];
  if (section[0] == '\0' && pol_param_find(node->key) != NULL) {
    const char *dot = strchr(node->key, '.');
    return pol_yaml_fail(l->yaml, node, l->error, "is not known; write it as %.*s: {%s: ...}",
                         dot != NULL ? (int)(dot - node->key) : 0, node->key,
                         dot != NULL ? dot + 1 : node->key);
  }
  known_keys(section, names, sizeof names);
  return pol_yaml_fail(l->yaml, node, l->error, "is not known; known here: %s", names);
}

static bool is_section(const char *key) {
  for (int i = 1; i < (int)POL_PARAM_END; i++) {
    if (key_below(&params[i], key) != NULL) {
      return true;
    }
  }
  return false;
}

static int load_section(const struct loader *l, const struct pol_yaml_node *map) {
  if (pol_yaml_expect(l->yaml, map, POL_YAML_MAP, POL_YAML_MEMBERS, l->error) != 0) {
    return -1;
  }
  for (const struct pol_yaml_node *node = map->first; node != NULL; node = node->next) {
    char name[POL_YAML_PATH_BYTES];
    pol_yaml_path(node, name);
    const struct pol_param_info *info =
        strchr(node->key, '.') == NULL ? pol_param_find(name) : NULL;
    if (info == NULL) {
      return unknown_key(l, node, map->key);
    }
    if (load_param(l, node, info) != 0) {
      return -1;
    }
  }
  return 0;
}

static int load_root(const struct loader *l) {
  /* First, because it decides about the ranges of all others. */
  const struct pol_yaml_node *lab = pol_yaml_member(l->yaml->root, "lab_only");
  if (lab != NULL && load_param(l, lab, &params[POL_PARAM_LAB_ONLY]) != 0) {
    return -1;
  }
  for (const struct pol_yaml_node *node = l->yaml->root->first; node != NULL; node = node->next) {
    const struct pol_param_info *info =
        strchr(node->key, '.') == NULL ? pol_param_find(node->key) : NULL;
    int result = 0;
    if (info != NULL) {
      result = load_param(l, node, info);
    } else if (node->key[0] != '\0' && is_section(node->key)) {
      result = load_section(l, node);
    } else {
      result = unknown_key(l, node, "");
    }
    if (result != 0) {
      return -1;
    }
  }
  return 0;
}

/* A statement that is demanded and not accepted could never be made: nothing would ever pass. */
static int check_attest(const struct loader *l) {
  const struct pol_policy *p = l->out;
  int64_t missing = p->attest_required & ~p->attest_accepted;
  if (missing == 0) {
    return 0;
  }
  char names[160];
  name_statements(missing, names, sizeof names);
  int64_t line = p->line[POL_PARAM_ATTEST_REQUIRED];
  const char *key = "attest.required";
  if (line == 0) {
    line = p->line[POL_PARAM_ATTEST_ACCEPTED];
    key = "attest.accepted";
  }
  return pol_fail(l->error,
                  "%s:%lld: key '%s': %s is required but not accepted; add it to attest.accepted "
                  "or remove it from attest.required",
                  l->yaml->name, (long long)line, key, names);
}

int pol_load(const char *bytes, size_t n, const char *name, struct pol_policy *out,
             struct pol_error *error) {
  struct pol_yaml *yaml = NULL;
  memset(out, 0, sizeof *out);
  if (pol_yaml_parse(bytes, n, name, &yaml, error) != 0) {
    return -1;
  }
  pol_default(out);
  out->valid = 0;
  set_name(out, name);
  struct loader l = {.yaml = yaml, .out = out, .error = error};
  int result = load_root(&l) == 0 && check_attest(&l) == 0 ? 0 : -1;
  pol_yaml_free(yaml);
  if (result != 0) {
    memset(out, 0, sizeof *out);
    return -1;
  }
  out->valid = 1;
  return 0;
}

void pol_to_decision(const struct pol_policy *policy, struct rcv_policy *out) {
  memset(out, 0, sizeof *out);
  if (policy->valid != 1) {
    return;
  }
  out->observe_rounds = policy->observe_rounds;
  out->observe_window_ms = policy->observe_window_s * 1000;
  out->monitor_check = policy->observe_monitor_check;
  out->require_metadata = policy->identity_require_metadata;
  out->age_terminal_s = policy->age_terminal_s;
  out->age_terminal_error_up_s = policy->age_terminal_error_up_s;
  out->age_nonterminal_s = policy->age_nonterminal_s;
  out->age_nonterminal_down_s = policy->age_nonterminal_down_s;
  out->age_missing_record_s = policy->age_missing_record_s;
  out->attest_accepted = policy->attest_accepted;
  out->attest_required = policy->attest_required;
  out->allow_reset = policy->apply_allow;
  out->valid = 1;
}
