/* Which policy is in force: where its file lies, and what --policy may change (S7). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/buf.h"
#include "agent/base/files.h"
#include "agent/config/inner.h"

bool uw_policy_name_ok(const char *name) {
  size_t n = strlen(name);
  for (size_t i = 0; i < n; i++) {
    char c = name[i];
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alnum && c != '-' && c != '_' && (c != '.' || i == 0)) {
      return false;
    }
  }
  return n > 0 && n < POL_NAME_BYTES - sizeof ".yaml";
}

/* The directory a path lies in, "" when it has none. */
static void directory_of(const char *path, char out[PATH_MAX]) {
  const char *slash = strrchr(path, '/');
  (void)snprintf(out, PATH_MAX, "%.*s", slash != NULL ? (int)(slash - path) : 0, path);
}

/* 1 when the file is there or cannot be looked for, which is an error to be met on reading it. */
static bool may_be_there(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static bool try_place(const char *dir, const char *below, const char *file, char out[PATH_MAX]) {
  int used = snprintf(out, PATH_MAX, "%s%s/%s", dir, below, file);
  return used > 0 && used < PATH_MAX && may_be_there(out);
}

int uw_policy_path(const struct uw_config *config, const char *name, char out[PATH_MAX],
                   struct uw_err *err) {
  char file[POL_NAME_BYTES];
  char bin[PATH_MAX];
  char above[PATH_MAX];
  out[0] = '\0';
  if (!uw_policy_name_ok(name)) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "'%.80s' is not the name of a policy (letters, digits, - _ .); for a file "
                      "write its path with a slash, as in ./mine.yaml",
                      name);
  }
  (void)snprintf(file, sizeof file, "%s.yaml", name);
  if (try_place(config->policies_dir, "", file, out)) {
    return 0;
  }
  directory_of(config->program, bin);
  directory_of(bin, above);
  bool build = strcmp(bin + strlen(above), "/build") == 0;
  if (bin[0] != '\0' && (try_place(above, "/share/unwedge/policies", file, out) ||
                         (build && try_place(above, "/policies", file, out)))) {
    return 0;
  }
  out[0] = '\0';
  return uw_err_set(err, UW_EXIT_USAGE,
                    "no policy '%s': neither %s/%s nor %s/share/unwedge/policies/%s is there; "
                    "install one, or name a file with a slash",
                    name, config->policies_dir, file, above, file);
}

static int read_policy(const char *path, struct pol_policy *out, struct uw_err *err) {
  struct uw_buf bytes = {.max = POL_YAML_FILE_BYTES + 2};
  struct pol_error why = {""};
  int result = uw_file_read(path, POL_YAML_FILE_BYTES, &bytes, err);
  if (result == 0 && pol_load(uw_buf_text(&bytes), bytes.len, path, out, &why) != 0) {
    result = uw_config_fail(&why, err);
  }
  uw_buf_free(&bytes);
  return result;
}

/* One policy by name or file; out is zeroed on error. */
static int load_one(const struct uw_config *config, const char *name, struct pol_policy *out,
                    struct uw_err *err) {
  char path[PATH_MAX];
  memset(out, 0, sizeof *out);
  if (strchr(name, '/') != NULL) {
    if (strlen(name) >= sizeof path) {
      return uw_err_set(err, UW_EXIT_USAGE, "the path of the policy is too long");
    }
    (void)snprintf(path, sizeof path, "%s", name);
  } else if (uw_policy_path(config, name, path, err) != 0) {
    return -1;
  }
  if (read_policy(path, out, err) != 0) {
    return -1;
  }
  if (out->lab_only == 1 && config->environment != UW_ENV_LAB) {
    (void)uw_err_set(err, UW_EXIT_USAGE,
                     "%s:%lld: key 'lab_only': this policy is for test beds and the configuration "
                     "(%s) does not say environment: lab; use another policy",
                     out->name, (long long)out->line[POL_PARAM_LAB_ONLY],
                     config->file[0] != '\0' ? config->file : "defaults");
    memset(out, 0, sizeof *out);
    return -1;
  }
  return 0;
}

static int say_laxer(const struct pol_policy *candidate, const struct pol_policy *configured,
                     enum pol_param laxer, struct uw_err *err) {
  struct pol_item new;
  struct pol_item old;
  if (pol_item(candidate, laxer, &new) != 0 || pol_item(configured, laxer, &old) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "--policy: the policies cannot be compared");
  }
  return uw_err_set(err, UW_EXIT_USAGE,
                    "--policy %s: %s is %s (%s), laxer than %s (%s) of the configured policy; for "
                    "a verb that acts --policy may only tighten: change the configuration, or "
                    "leave --policy out",
                    candidate->name, new.info->name, new.value, new.origin, old.value, old.origin);
}

static int check_tightens(const struct uw_config *config, const char *configured_name,
                          const struct pol_policy *candidate, struct uw_err *err) {
  enum pol_param laxer = POL_PARAM_NONE;
  struct pol_policy *configured = malloc(sizeof *configured);
  if (configured == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "not enough memory for the configured policy");
  }
  int result = load_one(config, configured_name, configured, err);
  if (result == 0 && !pol_tightens(candidate, configured, &laxer)) {
    result = say_laxer(candidate, configured, laxer, err);
  }
  free(configured);
  return result;
}

static int load_for(const struct uw_config *config, enum uw_config_key key, const char *flag,
                    bool acting, struct pol_policy *out, struct uw_err *err) {
  const char *configured = config->value[key];
  bool flagged = flag != NULL && flag[0] != '\0';
  if (load_one(config, flagged ? flag : configured, out, err) != 0) {
    memset(out, 0, sizeof *out);
    return -1;
  }
  if (flagged && acting && check_tightens(config, configured, out, err) != 0) {
    memset(out, 0, sizeof *out);
    return -1;
  }
  return 0;
}

int uw_policy_load(const struct uw_config *config, const char *flag, bool acting,
                   struct pol_policy *out, struct uw_err *err) {
  return load_for(config, UW_CONFIG_POLICY, flag, acting, out, err);
}

int uw_hook_policy_load(const struct uw_config *config, const char *flag, bool acting,
                        struct pol_policy *out, struct uw_err *err) {
  return load_for(config, UW_CONFIG_HOOK_POLICY, flag, acting, out, err);
}
