#include "agent/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/digest.h"
#include "agent/base/files.h"
#include "agent/config/inner.h"

struct key_info {
  const char *key, *def, *doc;
};
#define KEY_INFO(id, key, def, doc) [UW_CONFIG_##id] = {key, def, doc},
static const struct key_info keys[UW_CONFIG_KEY_COUNT] = {UW_CONFIG_KEYS(KEY_INFO)};

struct reader {
  const struct pol_yaml *yaml;
  struct uw_config *config;
  struct pol_error *error;
};

int uw_config_fail(const struct pol_error *why, struct uw_err *err) {
  return uw_err_set(err, UW_EXIT_USAGE, "%s", why->text);
}

/* ---- Single values ---- */

static int check_template(const struct reader *r, const struct pol_yaml_node *node,
                          const char *value) {
  char uri[PROBE_URI_BYTES];
  char warn[UW_ERR_TEXT_BYTES];
  struct pol_error why = {""};
  struct uw_err bad;
  struct uw_placeholders has = uw_config_placeholders(value);
  uw_err_clear(&bad);
  if (uw_config_expand(value, "host", "host", uri, &why) != 0) {
    return pol_yaml_fail(r->yaml, node, r->error, "%s", why.text);
  }
  if (!has.hypervisor && !has.host) {
    return pol_yaml_fail(r->yaml, node, r->error,
                         "has neither %%h nor %%n, so every host would be the same one; put %%h in "
                         "the place of the host name");
  }
  if (probe_uri_check(uri, warn, &bad) != 0) {
    return pol_yaml_fail(r->yaml, node, r->error, "%s", bad.text);
  }
  return 0;
}

static int check_policy(const struct reader *r, const struct pol_yaml_node *node,
                        const char *value) {
  if (strchr(value, '/') != NULL ? value[0] != '/' : !uw_policy_name_ok(value)) {
    return pol_yaml_fail(r->yaml, node, r->error,
                         "'%.80s' is neither a name (letters, digits, - _ .) nor an absolute file",
                         value);
  }
  return 0;
}

static int check_path(const struct reader *r, const struct pol_yaml_node *node, const char *value) {
  if (value[0] != '/') {
    return pol_yaml_fail(r->yaml, node, r->error, "'%.80s' is not an absolute path; begin with /",
                         value);
  }
  return 0;
}

static int check_value(const struct reader *r, enum uw_config_key key,
                       const struct pol_yaml_node *node, const char *value) {
  switch (key) {
  case UW_CONFIG_CLOUD: return 0;
  case UW_CONFIG_ENVIRONMENT:
    r->config->environment = strcmp(value, "lab") == 0 ? UW_ENV_LAB : UW_ENV_PRODUCTION;
    if (r->config->environment == UW_ENV_PRODUCTION && strcmp(value, "production") != 0) {
      return pol_yaml_fail(r->yaml, node, r->error, "'%.80s' is not known; write production or lab",
                           value);
    }
    return 0;
  case UW_CONFIG_URI: return check_template(r, node, value);
  case UW_CONFIG_POLICY:
  case UW_CONFIG_HOOK_POLICY: return check_policy(r, node, value);
  case UW_CONFIG_JOURNAL_DIR:
  case UW_CONFIG_JOURNAL_KEY:
  case UW_CONFIG_STATE_DIR:
  case UW_CONFIG_KILL_SWITCH: return check_path(r, node, value);
  case UW_CONFIG_COORDINATION:
    if (strcmp(value, "local") != 0) {
      return pol_yaml_fail(r->yaml, node, r->error,
                           "'%.80s' is not available; write local, and run unwedge on one machine",
                           value);
    }
    return 0;
  case UW_CONFIG_KEY_COUNT: break;
  }
  return pol_yaml_fail(r->yaml, node, r->error, "is not known");
}

/* The node of a key with at most one dot; the sections were checked to be maps. */
static const struct pol_yaml_node *find_node(const struct pol_yaml *yaml, const char *key) {
  const char *dot = strchr(key, '.');
  if (dot == NULL) {
    return pol_yaml_member(yaml->root, key);
  }
  char section[32];
  (void)snprintf(section, sizeof section, "%.*s", (int)(dot - key), key);
  return pol_yaml_member(pol_yaml_member(yaml->root, section), dot + 1);
}

static int read_values(const struct reader *r) {
  for (int i = 0; i < (int)UW_CONFIG_KEY_COUNT; i++) {
    const struct pol_yaml_node *node = find_node(r->yaml, keys[i].key);
    char *value = r->config->value[i];
    if (node == NULL) {
      continue;
    }
    if (pol_yaml_text(r->yaml, node, value, POL_YAML_TEXT_BYTES, r->error) != 0 ||
        check_value(r, (enum uw_config_key)i, node, value) != 0) {
      return -1;
    }
    r->config->line[i] = node->line;
  }
  return 0;
}

static int set_defaults(struct uw_config *config, struct uw_err *err) {
  for (int i = 0; i < (int)UW_CONFIG_KEY_COUNT; i++) {
    if (config->line[i] == 0) {
      (void)snprintf(config->value[i], sizeof config->value[i], "%s", keys[i].def);
    }
  }
  if (config->line[UW_CONFIG_JOURNAL_DIR] == 0 &&
      uw_path_join(config->value[UW_CONFIG_JOURNAL_DIR], POL_YAML_TEXT_BYTES,
                   config->value[UW_CONFIG_STATE_DIR], "journal", err) != 0) {
    return -1;
  }
  (void)snprintf(config->policies_dir, sizeof config->policies_dir, "%s", UW_CONFIG_POLICIES);
  ssize_t n = readlink("/proc/self/exe", config->program, sizeof config->program - 1);
  config->program[n > 0 ? n : 0] = '\0';
  return 0;
}

/* ---- hosts.overrides and notify ---- */

static int read_override_uri(const struct reader *r, const struct pol_yaml_node *node,
                             struct uw_host_override *out) {
  char warn[UW_ERR_TEXT_BYTES];
  struct uw_err bad;
  uw_err_clear(&bad);
  if (pol_yaml_text(r->yaml, node, out->uri, sizeof out->uri, r->error) != 0) {
    return -1;
  }
  if (probe_uri_check(out->uri, warn, &bad) != 0) {
    return pol_yaml_fail(r->yaml, node, r->error, "%s", bad.text);
  }
  out->uri_line = node->line;
  return 0;
}

static int read_override_uuid(const struct reader *r, const struct pol_yaml_node *node,
                              struct uw_host_override *out) {
  uint8_t uuid[RCV_UUID_BYTES];
  char text[UW_UUID_TEXT_BYTES];
  if (pol_yaml_text(r->yaml, node, out->uuid, sizeof out->uuid, r->error) != 0) {
    return -1;
  }
  if (uw_uuid_parse(out->uuid, uuid) != 0) {
    return pol_yaml_fail(r->yaml, node, r->error,
                         "'%.80s' is not a UUID; see: virsh capabilities, element host/uuid",
                         out->uuid);
  }
  uw_uuid_text(uuid, text);
  (void)snprintf(out->uuid, sizeof out->uuid, "%s", text);
  out->uuid_line = node->line;
  return 0;
}

static int read_override(const struct reader *r, const struct pol_yaml_node *node,
                         struct uw_host_override *out) {
  static const char *const known[] = {"uri", "hostname", "uuid"};
  const struct pol_yaml_node *uri = pol_yaml_member(node, "uri");
  const struct pol_yaml_node *hostname = pol_yaml_member(node, "hostname");
  const struct pol_yaml_node *uuid = pol_yaml_member(node, "uuid");
  if (pol_yaml_expect(r->yaml, node, POL_YAML_MAP, POL_YAML_MEMBERS, r->error) != 0 ||
      pol_yaml_only_keys(r->yaml, node, known, 3, r->error) != 0) {
    return -1;
  }
  if (strlen(node->key) >= sizeof out->host) {
    return pol_yaml_fail(r->yaml, node, r->error, "is too long for a host name");
  }
  (void)snprintf(out->host, sizeof out->host, "%s", node->key);
  out->line = node->line;
  if (uri != NULL && read_override_uri(r, uri, out) != 0) {
    return -1;
  }
  if (hostname != NULL) {
    out->hostname_line = hostname->line;
    if (pol_yaml_text(r->yaml, hostname, out->hostname, sizeof out->hostname, r->error) != 0) {
      return -1;
    }
  }
  return uuid != NULL ? read_override_uuid(r, uuid, out) : 0;
}

static int read_overrides(const struct reader *r, const struct pol_yaml_node *map) {
  if (map == NULL) {
    return 0;
  }
  if (pol_yaml_expect(r->yaml, map, POL_YAML_MAP, UW_CONFIG_OVERRIDES, r->error) != 0) {
    return -1;
  }
  r->config->override = calloc((size_t)map->children, sizeof *r->config->override);
  if (r->config->override == NULL) {
    return pol_yaml_fail(r->yaml, map, r->error, "not enough memory; free some and try again");
  }
  for (const struct pol_yaml_node *node = map->first; node != NULL; node = node->next) {
    if (read_override(r, node, &r->config->override[r->config->overrides++]) != 0) {
      return -1;
    }
  }
  return 0;
}

static bool is_http(const char *url) {
  bool http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
  const char *host = http ? strstr(url, "://") + 3 : "";
  return http && host[0] != '\0' && host[0] != '/' && strchr(url, ' ') == NULL;
}

static int read_notify_entry(const struct reader *r, const struct pol_yaml_node *node) {
  static const char *const known[] = {"webhook", "command"};
  if (pol_yaml_expect(r->yaml, node, POL_YAML_MAP, POL_YAML_MEMBERS, r->error) != 0 ||
      pol_yaml_only_keys(r->yaml, node, known, 2, r->error) != 0) {
    return -1;
  }
  if (node->children != 1) {
    return pol_yaml_fail(r->yaml, node, r->error,
                         "has both webhook and command; make them two entries of the list");
  }
  struct uw_notify *out = &r->config->notify[r->config->notifies];
  const struct pol_yaml_node *value = node->first;
  out->command = strcmp(value->key, "command") == 0;
  out->line = value->line;
  if (pol_yaml_text(r->yaml, value, out->text, sizeof out->text, r->error) != 0) {
    return -1;
  }
  /* The text itself is not repeated: the address of a webhook is often its password. */
  if (!out->command && !is_http(out->text)) {
    return pol_yaml_fail(r->yaml, value, r->error, "is not a URL; write https://host/path");
  }
  if (out->command && out->text[0] != '/') {
    return pol_yaml_fail(r->yaml, value, r->error,
                         "is not an absolute path; a program is run without a shell, begin with /");
  }
  r->config->notifies++;
  return 0;
}

static int read_notify(const struct reader *r, const struct pol_yaml_node *list) {
  if (list == NULL) {
    return 0;
  }
  if (pol_yaml_expect(r->yaml, list, POL_YAML_LIST, UW_CONFIG_NOTIFY, r->error) != 0) {
    return -1;
  }
  for (const struct pol_yaml_node *node = list->first; node != NULL; node = node->next) {
    if (read_notify_entry(r, node) != 0) {
      return -1;
    }
  }
  return 0;
}

/* ---- The file ---- */

static int check_section(const struct reader *r, const char *name, const char *const *known,
                         size_t n) {
  const struct pol_yaml_node *map = pol_yaml_member(r->yaml->root, name);
  if (map == NULL) {
    return 0;
  }
  if (pol_yaml_expect(r->yaml, map, POL_YAML_MAP, POL_YAML_MEMBERS, r->error) != 0) {
    return -1;
  }
  return pol_yaml_only_keys(r->yaml, map, known, n, r->error);
}

static int check_keys(const struct reader *r) {
  static const char *const top[] = {"cloud",  "environment", "hosts",     "policy",
                                    "hook",   "journal",     "state_dir", "coordination",
                                    "notify", "kill_switch"};
  static const char *const hosts[] = {"uri", "overrides"};
  static const char *const hook[] = {"policy"};
  static const char *const journal[] = {"dir", "key"};
  static const char *const coordination[] = {"driver"};
  if (pol_yaml_only_keys(r->yaml, r->yaml->root, top, sizeof top / sizeof top[0], r->error) != 0) {
    return -1;
  }
  return check_section(r, "hosts", hosts, 2) == 0 && check_section(r, "hook", hook, 1) == 0 &&
                 check_section(r, "journal", journal, 2) == 0 &&
                 check_section(r, "coordination", coordination, 1) == 0
             ? 0
             : -1;
}

static int read_tree(const struct reader *r) {
  const struct pol_yaml_node *hosts = pol_yaml_member(r->yaml->root, "hosts");
  return check_keys(r) == 0 && read_values(r) == 0 &&
                 read_overrides(r, pol_yaml_member(hosts, "overrides")) == 0 &&
                 read_notify(r, pol_yaml_member(r->yaml->root, "notify")) == 0
             ? 0
             : -1;
}

static int fill(const char *bytes, size_t n, const char *name, struct uw_config *config,
                struct uw_err *err) {
  struct pol_yaml *yaml = NULL;
  struct pol_error error = {""};
  if (strlen(name) >= sizeof config->file) {
    return uw_err_set(err, UW_EXIT_USAGE, "the name of the configuration file is too long");
  }
  (void)snprintf(config->file, sizeof config->file, "%s", name);
  if (pol_yaml_parse(bytes, n, name, &yaml, &error) != 0) {
    return uw_config_fail(&error, err);
  }
  struct reader r = {.yaml = yaml, .config = config, .error = &error};
  int result = read_tree(&r);
  pol_yaml_free(yaml);
  return result == 0 ? set_defaults(config, err) : uw_config_fail(&error, err);
}

int uw_config_parse(const char *bytes, size_t n, const char *name, struct uw_config **ret,
                    struct uw_err *err) {
  *ret = NULL;
  struct uw_config *config = calloc(1, sizeof *config);
  if (config == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "not enough memory for the configuration");
  }
  if (fill(bytes, n, name, config, err) != 0) {
    uw_config_free(config);
    return -1;
  }
  *ret = config;
  return 0;
}

static int load_default(struct uw_config **ret, struct uw_err *err) {
  struct uw_config *config = calloc(1, sizeof *config);
  if (config == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "not enough memory for the configuration");
  }
  if (set_defaults(config, err) != 0) {
    uw_config_free(config);
    return -1;
  }
  *ret = config;
  return 0;
}

int uw_config_load(const char *path, struct uw_config **ret, struct uw_err *err) {
  const char *file = path != NULL ? path : UW_CONFIG_FILE;
  struct stat st;
  *ret = NULL;
  if (path == NULL && stat(file, &st) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return load_default(ret, err);
  }
  struct uw_buf bytes = {.max = POL_YAML_FILE_BYTES + 2};
  int result = uw_file_read(file, POL_YAML_FILE_BYTES, &bytes, err);
  if (result == 0) {
    result = uw_config_parse(uw_buf_text(&bytes), bytes.len, file, ret, err);
  }
  /* The address of a webhook can be a secret. */
  uw_buf_wipe(&bytes);
  return result;
}

void uw_config_free(struct uw_config *config) {
  if (config != NULL) {
    free(config->override);
    explicit_bzero(config->notify, sizeof config->notify);
    free(config);
  }
}

/* ---- The state directory ---- */

/* True when the directory, or the nearest one above it that is there, can be written to. */
static bool can_write(const char *dir) {
  char path[PATH_MAX];
  struct stat st;
  (void)snprintf(path, sizeof path, "%s", dir);
  while (stat(path, &st) != 0) {
    char *slash = strrchr(path, '/');
    if (errno != ENOENT || slash == NULL || strcmp(path, "/") == 0) {
      return false;
    }
    slash[slash == path ? 1 : 0] = '\0';
  }
  return S_ISDIR(st.st_mode) && faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

static int home_state_dir(char out[PATH_MAX], struct uw_err *err) {
  const char *state = getenv("XDG_STATE_HOME");
  const char *home = getenv("HOME");
  /* A relative XDG directory is to be ignored (XDG Base Directory Specification). */
  if (state != NULL && state[0] == '/') {
    return uw_path_join(out, PATH_MAX, state, "unwedge", err);
  }
  if (home == NULL || home[0] != '/') {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "nowhere to keep this run: neither XDG_STATE_HOME nor HOME is an absolute "
                      "path; set one, or make state_dir writable");
  }
  return uw_path_join(out, PATH_MAX, home, ".local/state/unwedge", err);
}

int uw_config_state_dir(const struct uw_config *config, bool acting, char out[PATH_MAX],
                        struct uw_err *err) {
  const char *dir = config->value[UW_CONFIG_STATE_DIR];
  if (!acting && geteuid() != 0 && !can_write(dir)) {
    return home_state_dir(out, err);
  }
  (void)snprintf(out, PATH_MAX, "%s", dir);
  return 0;
}

/* ---- Showing ---- */

/* Keeps scheme and host of a URL; path, query and user are often a secret. */
static void mask_url(const char *url, char *out, size_t n) {
  const char *host = strstr(url, "://");
  host = host != NULL ? host + 3 : url;
  size_t len = strcspn(host, "/?#");
  const char *at = memrchr(host, '@', len);
  const char *name = at != NULL ? at + 1 : host;
  (void)snprintf(out, n, "%.*s%.*s/...", (int)(host - url), url, (int)(host + len - name), name);
}

static void origin_text(const struct uw_config *config, int64_t line, char *out, size_t n) {
  if (line > 0) {
    (void)snprintf(out, n, "%s:%lld", config->file, (long long)line);
  } else {
    (void)snprintf(out, n, "default");
  }
}

struct shower {
  const struct uw_config *config;
  void (*show)(const char *, const char *, const char *, const char *, void *);
  void *ctx;
};

static void show_one(const struct shower *s, const char *key, const char *value, int64_t line,
                     const char *doc) {
  char origin[PATH_MAX + 32];
  origin_text(s->config, line, origin, sizeof origin);
  s->show(key, value, origin, doc, s->ctx);
}

static void show_override(const struct shower *s, const struct uw_host_override *o) {
  const char *names[3] = {"uri", "hostname", "uuid"};
  const char *values[3] = {o->uri, o->hostname, o->uuid};
  const int64_t lines[3] = {o->uri_line, o->hostname_line, o->uuid_line};
  const char *docs[3] = {"libvirt URI of this host", "what this host must call itself",
                         "host UUID that must answer"};
  for (size_t i = 0; i < 3; i++) {
    if (lines[i] > 0) {
      char key[RCV_TEXT_BYTES + 64];
      (void)snprintf(key, sizeof key, "hosts.overrides.%s.%s", o->host, names[i]);
      show_one(s, key, values[i], lines[i], docs[i]);
    }
  }
}

void uw_config_show(const struct uw_config *config,
                    void (*show)(const char *key, const char *value, const char *origin,
                                 const char *doc, void *ctx),
                    void *ctx) {
  struct shower s = {.config = config, .show = show, .ctx = ctx};
  for (int i = 0; i < (int)UW_CONFIG_KEY_COUNT; i++) {
    show_one(&s, keys[i].key, config->value[i], config->line[i], keys[i].doc);
  }
  for (size_t i = 0; i < config->overrides; i++) {
    show_override(&s, &config->override[i]);
  }
  for (size_t i = 0; i < config->notifies; i++) {
    const struct uw_notify *n = &config->notify[i];
    char key[64];
    char value[POL_YAML_TEXT_BYTES + 8];
    (void)snprintf(key, sizeof key, "notify[%zu].%s", i + 1, n->command ? "command" : "webhook");
    if (n->command) {
      (void)snprintf(value, sizeof value, "%s", n->text);
    } else {
      mask_url(n->text, value, sizeof value);
    }
    show_one(&s, key, value, n->line, "who is told of verdicts and acts");
  }
}

struct warnings {
  size_t count;
  char (*out)[UW_ERR_TEXT_BYTES];
};

static void add_warning(struct warnings *w, const struct uw_config *config, int64_t line,
                        const char *key, const char *text) {
  char origin[PATH_MAX + 32];
  if (w->count >= UW_CONFIG_WARNINGS) {
    return;
  }
  origin_text(config, line, origin, sizeof origin);
  char *out = w->out[w->count++];
  /* A cut tail is acceptable: the head says where. */
  int used = snprintf(out, UW_ERR_TEXT_BYTES, "%.400s: key '%.300s': ", origin, key);
  if (used > 0 && used < UW_ERR_TEXT_BYTES) {
    (void)snprintf(out + used, UW_ERR_TEXT_BYTES - (size_t)used, "%s", text);
  }
}

static void warn_uri(struct warnings *w, const struct uw_config *config, int64_t line,
                     const char *key, const char *uri) {
  char text[UW_ERR_TEXT_BYTES] = "";
  struct uw_err bad;
  uw_err_clear(&bad);
  if (probe_uri_check(uri, text, &bad) == 0 && text[0] != '\0') {
    add_warning(w, config, line, key, text);
  }
}

size_t uw_config_warnings(const struct uw_config *config,
                          char out[UW_CONFIG_WARNINGS][UW_ERR_TEXT_BYTES]) {
  struct warnings w = {.count = 0, .out = out};
  struct pol_error why = {""};
  char uri[PROBE_URI_BYTES];
  if (config->environment == UW_ENV_LAB) {
    add_warning(&w, config, config->line[UW_CONFIG_ENVIRONMENT], "environment",
                "lab: policies for test beds can be loaded; never use this with a real cloud");
  }
  if (uw_config_expand(config->value[UW_CONFIG_URI], "host", "host", uri, &why) == 0) {
    warn_uri(&w, config, config->line[UW_CONFIG_URI], "hosts.uri", uri);
  }
  for (size_t i = 0; i < config->overrides; i++) {
    const struct uw_host_override *o = &config->override[i];
    char key[RCV_TEXT_BYTES + 32];
    (void)snprintf(key, sizeof key, "hosts.overrides.%s.uri", o->host);
    if (o->uri[0] != '\0') {
      warn_uri(&w, config, o->uri_line, key, o->uri);
    }
  }
  for (size_t i = 0; i < config->notifies; i++) {
    const struct uw_notify *n = &config->notify[i];
    if (!n->command && strncmp(n->text, "http://", 7) == 0) {
      add_warning(&w, config, n->line, "notify",
                  "a webhook over plain http can be read and forged");
    }
  }
  return w.count;
}
