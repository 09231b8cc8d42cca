#include "agent/openstack/clouds.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/http/url.h"
#include "agent/openstack/yamlfile.h"

#define ENV_CLOUD "envvars" /* openstacksdk's name for the cloud of the OS_* variables */
#define MAX_LAYERS 4        /* region values, secure.yaml, clouds.yaml, profile */
#define MAX_NAMES 200       /* entries listed in an error */
#define MAX_ALIASES 4       /* names of one key */

/* --- What is filled -------------------------------------------------------------------------- */

struct field {
  size_t offset;                 /* of char[OS_TEXT_BYTES] in struct os_cloud */
  size_t unless;                 /* only when this field is empty too; 0: always */
  bool auth;                     /* lives under auth: (and, as the SDK allows, beside it) */
  bool file;                     /* a path: "~/" is expanded */
  const char *keys[MAX_ALIASES]; /* in clouds.yaml, first wins; NULL ends */
  const char *env[MAX_ALIASES];  /* variables, first wins; NULL ends */
};

#define TEXT(field) offsetof(struct os_cloud, field)
static const struct field fields[] = {
    {TEXT(auth_url), 0, true, false, {"auth_url"}, {"OS_AUTH_URL"}},
    {TEXT(username), 0, true, false, {"username", "user_name"}, {"OS_USERNAME"}},
    {TEXT(user_id), 0, true, false, {"user_id"}, {"OS_USER_ID"}},
    {TEXT(user_domain_name), 0, true, false, {"user_domain_name"}, {"OS_USER_DOMAIN_NAME"}},
    {TEXT(user_domain_id), 0, true, false, {"user_domain_id"}, {"OS_USER_DOMAIN_ID"}},
    {TEXT(project_name),
     0,
     true,
     false,
     {"project_name", "tenant_name"},
     {"OS_PROJECT_NAME", "OS_TENANT_NAME"}},
    {TEXT(project_id),
     0,
     true,
     false,
     {"project_id", "tenant_id"},
     {"OS_PROJECT_ID", "OS_TENANT_ID"}},
    {TEXT(project_domain_name),
     0,
     true,
     false,
     {"project_domain_name"},
     {"OS_PROJECT_DOMAIN_NAME"}},
    {TEXT(project_domain_id), 0, true, false, {"project_domain_id"}, {"OS_PROJECT_DOMAIN_ID"}},
    {TEXT(user_domain_name),
     TEXT(user_domain_id),
     true,
     false,
     {"default_domain_name"},
     {"OS_DEFAULT_DOMAIN_NAME"}},
    {TEXT(user_domain_id),
     TEXT(user_domain_name),
     true,
     false,
     {"default_domain_id", "default_domain"},
     {"OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"}},
    {TEXT(project_domain_name),
     TEXT(project_domain_id),
     true,
     false,
     {"default_domain_name"},
     {"OS_DEFAULT_DOMAIN_NAME"}},
    {TEXT(project_domain_id),
     TEXT(project_domain_name),
     true,
     false,
     {"default_domain_id", "default_domain"},
     {"OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"}},
    {TEXT(appcred_id),
     0,
     true,
     false,
     {"application_credential_id"},
     {"OS_APPLICATION_CREDENTIAL_ID"}},
    {TEXT(appcred_name),
     0,
     true,
     false,
     {"application_credential_name"},
     {"OS_APPLICATION_CREDENTIAL_NAME"}},
    {TEXT(system_scope), 0, true, false, {"system_scope"}, {"OS_SYSTEM_SCOPE"}},
    {TEXT(region), 0, false, false, {"region_name"}, {"OS_REGION_NAME"}},
    {TEXT(interface),
     0,
     false,
     false,
     {"compute_interface", "interface", "compute_endpoint_type", "endpoint_type"},
     {"OS_INTERFACE", "OS_ENDPOINT_TYPE"}},
    {TEXT(cacert), 0, false, true, {"cacert"}, {"OS_CACERT"}},
    {TEXT(cert), 0, false, true, {"cert"}, {"OS_CERT"}},
    {TEXT(key), 0, false, true, {"key"}, {"OS_KEY"}},
    {TEXT(compute_endpoint_override),
     0,
     false,
     false,
     {"compute_endpoint_override"},
     {"OS_COMPUTE_ENDPOINT_OVERRIDE"}},
    {TEXT(placement_endpoint_override),
     0,
     false,
     false,
     {"placement_endpoint_override"},
     {"OS_PLACEMENT_ENDPOINT_OVERRIDE"}},
    {TEXT(network_endpoint_override),
     0,
     false,
     false,
     {"network_endpoint_override"},
     {"OS_NETWORK_ENDPOINT_OVERRIDE"}},
    {TEXT(block_storage_endpoint_override),
     0,
     false,
     false,
     {"block_storage_endpoint_override", "volume_endpoint_override"},
     {"OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE", "OS_VOLUME_ENDPOINT_OVERRIDE"}},
};

struct secret {
  size_t offset; /* of char * in struct os_cloud */
  const char *key;
  const char *env[MAX_ALIASES];
};

static const struct secret secrets[] = {
    {TEXT(password), "password", {"OS_PASSWORD"}},
    {TEXT(appcred_secret), "application_credential_secret", {"OS_APPLICATION_CREDENTIAL_SECRET"}},
    {TEXT(token), "token", {"OS_TOKEN", "OS_AUTH_TOKEN"}},
};

static char *text_of(struct os_cloud *c, size_t offset) { return (char *)c + offset; }

static char **secret_of(struct os_cloud *c, size_t offset) {
  return (char **)(void *)((char *)c + offset);
}

static bool wanted(struct os_cloud *c, const struct field *f) {
  return f->unless == 0 || (*text_of(c, f->offset) == '\0' && *text_of(c, f->unless) == '\0');
}

static const char *env(const char *name) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0' ? value : NULL;
}

static const char *env_first(const char *const names[MAX_ALIASES], const char **name) {
  for (size_t i = 0; i < MAX_ALIASES && names[i] != NULL; i++) {
    if (env(names[i]) != NULL) {
      *name = names[i];
      return env(names[i]);
    }
  }
  return NULL;
}

void os_cloud_free(struct os_cloud *cloud) {
  if (cloud == NULL) {
    return;
  }
  for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
    char **secret = secret_of(cloud, secrets[i].offset);
    if (*secret != NULL) {
      explicit_bzero(*secret, strlen(*secret));
      free(*secret);
    }
  }
  explicit_bzero(cloud, sizeof *cloud);
  free(cloud);
}

/* --- Putting one value into the result ------------------------------------------------------- */

/* where is "FILE:LINE: KEY" or the variable's name. */
static int put_text(char *field, const char *value, const char *where, struct uw_err *err) {
  if (strlen(value) >= OS_TEXT_BYTES) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s: longer than %d bytes", where, OS_TEXT_BYTES - 1);
  }
  for (const char *c = value; *c != '\0'; c++) {
    if ((unsigned char)*c < 0x20 || *c == 0x7f) {
      return uw_err_set(err, UW_EXIT_USAGE, "%s: holds a control character", where);
    }
  }
  memcpy(field, value, strlen(value) + 1);
  return 0;
}

static int put_path(char *field, const char *value, const char *where, struct uw_err *err) {
  const char *home = env("HOME");
  if (strncmp(value, "~/", 2) != 0 || home == NULL) {
    return put_text(field, value, where, err);
  }
  int n = snprintf(field, OS_TEXT_BYTES, "%s%s", home, value + 1);
  return n > 0 && n < OS_TEXT_BYTES
             ? 0
             : uw_err_set(err, UW_EXIT_USAGE, "%s: the path is too long", where);
}

static int put_secret(char **field, const char *value, const char *where, struct uw_err *err) {
  *field = strdup(value);
  return *field != NULL ? 0 : uw_err_set(err, UW_EXIT_USAGE, "%s: no memory", where);
}

/* YAML 1.1 booleans, as PyYAML reads them, and 0 and 1 as variables hold them. */
static int read_bool(const char *text, const char *where, bool *ret, struct uw_err *err) {
  static const char *const yes[] = {"true", "yes", "on", "1"};
  static const char *const no[] = {"false", "no", "off", "0"};
  for (size_t i = 0; i < 4; i++) {
    if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
      *ret = strcasecmp(text, yes[i]) == 0;
      return 0;
    }
  }
  return uw_err_set(err, UW_EXIT_USAGE, "%s: not true or false", where);
}

/* --- Files ----------------------------------------------------------------------------------- */

struct files {
  struct yf_file clouds, secure, vendor; /* zeroed when there is none */
};

static void files_free(struct files *f) {
  yf_free(&f->clouds);
  yf_free(&f->secure);
  yf_free(&f->vendor);
}

/* The directory at an index of the search order; false behind the last or when it has no name. */
static bool search_dir(size_t index, char out[YF_PATH_BYTES]) {
  const char *home = env("HOME");
  const char *xdg = env("XDG_CONFIG_HOME");
  int n = -1;
  switch (index) {
  case 0: n = snprintf(out, YF_PATH_BYTES, "."); break;
  case 1: n = xdg == NULL ? -1 : snprintf(out, YF_PATH_BYTES, "%s/openstack", xdg); break;
  case 2: n = home == NULL ? -1 : snprintf(out, YF_PATH_BYTES, "%s/.config/openstack", home); break;
  case 3: n = snprintf(out, YF_PATH_BYTES, "/etc/openstack"); break;
  default: break;
  }
  return n > 0 && n < YF_PATH_BYTES;
}

/*
 * Finds the first file of that base name. 1 found (path in out), 0 none, -1 error: a file
 * that a variable names must be there, since silently taking another one could mean another
 * cloud.
 */
static int find_file(const char *base, const char *variable, char out[YF_PATH_BYTES],
                     struct uw_err *err) {
  static const char *const suffixes[] = {"yaml", "yml", "json"};
  const char *named = env(variable);
  if (named != NULL) {
    if (access(named, R_OK) != 0) {
      return uw_err_set(err, UW_EXIT_USAGE, "%s: cannot read %s: %s", variable, named,
                        strerrordesc_np(errno));
    }
    int n = snprintf(out, YF_PATH_BYTES, "%s", named);
    return n > 0 && n < YF_PATH_BYTES
               ? 1
               : uw_err_set(err, UW_EXIT_USAGE, "%s: the path is too long", variable);
  }
  for (size_t d = 0; d < 4; d++) {
    char dir[YF_PATH_BYTES];
    for (size_t s = 0; search_dir(d, dir) && s < 3; s++) {
      int n = snprintf(out, YF_PATH_BYTES, "%s/%s.%s", dir, base, suffixes[s]);
      if (n <= 0 || n >= YF_PATH_BYTES || access(out, F_OK) != 0) {
        continue;
      }
      if (access(out, R_OK) == 0) {
        return 1;
      }
      uw_warn("%s cannot be read (%s); looking further", out, strerrordesc_np(errno));
    }
  }
  return 0;
}

static int load_file(const char *base, const char *variable, struct yf_file *file,
                     struct uw_err *err) {
  char path[YF_PATH_BYTES];
  int found = find_file(base, variable, path, err);
  return found <= 0 ? found : yf_load(path, file, err);
}

static yaml_node_t *clouds_of(struct yf_file *file) {
  return yf_find(file, yf_root(file), "clouds");
}

static int check_shape(struct yf_file *file, struct uw_err *err) {
  yaml_node_t *root = yf_root(file);
  yaml_node_t *clouds = clouds_of(file);
  if (root != NULL && root->type != YAML_MAPPING_NODE) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s:%zu: a mapping with the key clouds is expected",
                      file->path, yf_line(root));
  }
  if (clouds != NULL && clouds->type != YAML_MAPPING_NODE) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s:%zu: clouds: must be a mapping of names", file->path,
                      yf_line(clouds));
  }
  return 0;
}

static int load_files(struct files *f, struct uw_err *err) {
  if (load_file("clouds", "OS_CLIENT_CONFIG_FILE", &f->clouds, err) != 0 ||
      load_file("secure", "OS_CLIENT_SECURE_FILE", &f->secure, err) != 0) {
    return -1;
  }
  return check_shape(&f->clouds, err) != 0 || check_shape(&f->secure, err) != 0 ? -1 : 0;
}

/* --- Names of entries ------------------------------------------------------------------------ */

/* Lists the entries' names, comma separated; returns how many there are. */
static size_t list_names(struct files *f, struct uw_buf *out, const char **only) {
  struct yf_file *const order[] = {&f->clouds, &f->secure};
  size_t count = 0;
  for (size_t i = 0; i < 2; i++) {
    yaml_node_t *clouds = clouds_of(order[i]);
    for (size_t n = 0; n < MAX_NAMES; n++) {
      const char *name = yf_key(order[i], clouds, n);
      if (name == NULL) {
        break;
      }
      bool known = i == 1 && yf_find(order[0], clouds_of(order[0]), name) != NULL;
      if (!known && strcmp(name, "<<") != 0) {
        uw_buf_printf(out, "%s%s", count == 0 ? "" : ", ", name);
        *only = name;
        count++;
      }
    }
  }
  return count;
}

static int no_file(struct uw_err *err) {
  return uw_err_set(err, UW_EXIT_USAGE,
                    "no cloud to talk to: no clouds.yaml in ., ~/.config/openstack or "
                    "/etc/openstack, and OS_AUTH_URL is not set; create one of them");
}

static int unknown_cloud(struct files *f, const char *name, struct uw_err *err) {
  struct uw_buf names = {.max = 600};
  const char *only = NULL;
  size_t count = list_names(f, &names, &only);
  int result;
  if (!f->clouds.loaded && !f->secure.loaded) {
    result =
        uw_err_set(err, UW_EXIT_USAGE,
                   "cloud %s: no clouds.yaml in ., ~/.config/openstack or /etc/openstack", name);
  } else {
    const char *path = f->clouds.loaded ? f->clouds.path : f->secure.path;
    result = uw_err_set(err, UW_EXIT_USAGE, "%s: no cloud named %s; it has: %s%s", path, name,
                        count == 0 ? "none" : uw_buf_text(&names), names.failed ? ", ..." : "");
  }
  uw_buf_free(&names);
  return result;
}

/* The only entry. */
static int choose(struct files *f, const char **name, struct uw_err *err) {
  struct uw_buf names = {.max = 600};
  size_t count = list_names(f, &names, name);
  int result = 0;
  if (!f->clouds.loaded && !f->secure.loaded) {
    result = no_file(err);
  } else if (count != 1) {
    result = uw_err_set(err, UW_EXIT_USAGE, "%s: %s; %s%s%s", f->clouds.path,
                        count == 0 ? "it has no cloud" : "it has more than one cloud",
                        count == 0 ? "add an entry under clouds:"
                                   : "choose with --os-cloud or OS_CLOUD: ",
                        count == 0 ? "" : uw_buf_text(&names), names.failed ? ", ..." : "");
  }
  uw_buf_free(&names);
  return result;
}

/* --- Layers ---------------------------------------------------------------------------------- */

struct layer {
  struct yf_file *file;
  yaml_node_t *map;
};

struct layers {
  struct layer layer[MAX_LAYERS]; /* earlier ones win */
  size_t count;
  const char *cloud;
};

static void add_layer(struct layers *l, struct yf_file *file, yaml_node_t *map) {
  if (map != NULL && l->count < MAX_LAYERS) {
    l->layer[l->count].file = file;
    l->layer[l->count].map = map;
    l->count++;
  }
}

struct found {
  struct yf_file *file;
  yaml_node_t *node; /* NULL: not given */
};

static struct found find_one(struct layers *l, bool auth, const char *key) {
  struct found found = {NULL, NULL};
  for (size_t i = 0; found.node == NULL && i < l->count; i++) {
    struct layer *layer = &l->layer[i];
    yaml_node_t *map = auth ? yf_find(layer->file, layer->map, "auth") : layer->map;
    found.file = layer->file;
    found.node = yf_find(layer->file, map, key);
  }
  return found;
}

/* Under auth: first, then beside it: the SDK takes both. */
static struct found find_key(struct layers *l, bool auth, const char *key) {
  struct found found = {NULL, NULL};
  if (auth) {
    found = find_one(l, true, key);
  }
  return found.node != NULL ? found : find_one(l, false, key);
}

/* -1 with an error when there is a value that is no text. text stays NULL when not given. */
static int find_text(struct layers *l, bool auth, const char *key, struct found *ret,
                     const char **text, char where[YF_PATH_BYTES * 2], struct uw_err *err) {
  *ret = find_key(l, auth, key);
  *text = NULL;
  where[0] = '\0';
  if (ret->node == NULL) {
    return 0;
  }
  (void)snprintf(where, (size_t)YF_PATH_BYTES * 2, "%.1000s:%zu: %.200s: %s%s", ret->file->path,
                 yf_line(ret->node), l->cloud, auth ? "auth." : "", key);
  *text = yf_text(ret->node);
  return *text != NULL ? 0 : uw_err_set(err, UW_EXIT_USAGE, "%s: must be a text", where);
}

static int check_auth_maps(struct layers *l, struct uw_err *err) {
  for (size_t i = 0; i < l->count; i++) {
    yaml_node_t *auth = yf_find(l->layer[i].file, l->layer[i].map, "auth");
    if (auth != NULL && auth->type != YAML_MAPPING_NODE) {
      return uw_err_set(err, UW_EXIT_USAGE, "%s:%zu: %s: auth: must be a mapping",
                        l->layer[i].file->path, yf_line(auth), l->cloud);
    }
  }
  return 0;
}

static int fill_texts(struct layers *l, struct os_cloud *c, struct uw_err *err) {
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    const struct field *f = &fields[i];
    for (size_t k = 0; wanted(c, f) && k < MAX_ALIASES && f->keys[k] != NULL; k++) {
      char where[YF_PATH_BYTES * 2];
      struct found found;
      const char *text;
      if (find_text(l, f->auth, f->keys[k], &found, &text, where, err) != 0) {
        return -1;
      }
      if (text != NULL && *text != '\0') {
        char *field = text_of(c, f->offset);
        if ((f->file ? put_path(field, text, where, err) : put_text(field, text, where, err)) !=
            0) {
          return -1;
        }
        break;
      }
    }
  }
  return 0;
}

static int fill_secrets(struct layers *l, struct os_cloud *c, struct uw_err *err) {
  for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
    char where[YF_PATH_BYTES * 2];
    struct found found;
    const char *text;
    if (find_text(l, true, secrets[i].key, &found, &text, where, err) != 0) {
      return -1;
    }
    if (text == NULL || *text == '\0') {
      continue;
    }
    if (put_secret(secret_of(c, secrets[i].offset), text, where, err) != 0) {
      return -1;
    }
    if (found.file->world_readable) {
      uw_warn("%s holds a secret (%s) and can be read by everybody; chmod 600 it", found.file->path,
              secrets[i].key);
    }
  }
  return 0;
}

static int fill_insecure(struct layers *l, struct os_cloud *c, struct uw_err *err) {
  char where[YF_PATH_BYTES * 2];
  struct found found;
  const char *text;
  bool value;
  if (find_text(l, false, "verify", &found, &text, where, err) != 0) {
    return -1;
  }
  if (text != NULL) {
    if (read_bool(text, where, &value, err) != 0) {
      return -1;
    }
    c->insecure = !value;
  }
  if (find_text(l, false, "insecure", &found, &text, where, err) != 0) {
    return -1;
  }
  if (text != NULL) {
    if (read_bool(text, where, &value, err) != 0) {
      return -1;
    }
    c->insecure = c->insecure || value;
  }
  return 0;
}

/* --- Profile and regions --------------------------------------------------------------------- */

static int add_profile(struct files *f, struct layers *l, struct uw_err *err) {
  char where[YF_PATH_BYTES * 2];
  struct found found;
  const char *name;
  if (find_text(l, false, "profile", &found, &name, where, err) != 0) {
    return -1;
  }
  if (name == NULL && find_text(l, false, "cloud", &found, &name, where, err) != 0) {
    return -1;
  }
  if (name == NULL) {
    return 0;
  }
  if (load_file("clouds-public", "OS_CLIENT_VENDOR_FILE", &f->vendor, err) != 0) {
    return -1;
  }
  yaml_node_t *profiles = yf_find(&f->vendor, yf_root(&f->vendor), "public-clouds");
  yaml_node_t *profile = yf_find(&f->vendor, profiles, name);
  if (profile == NULL) {
    uw_warn("%s: no clouds-public.yaml has the profile %s (openstacksdk's built-in ones are not "
            "known here); only the entry itself is used",
            where, name);
  }
  add_layer(l, &f->vendor, profile);
  return 0;
}

/* Name of a region item: a text, or a mapping with a name. */
static const char *region_name(struct yf_file *file, yaml_node_t *item) {
  const char *text = yf_text(item);
  return text != NULL ? text : yf_text(yf_find(file, item, "name"));
}

static int no_region(struct found list, const char *want, struct uw_err *err) {
  struct uw_buf names = {.max = 600};
  for (size_t i = 0; i < MAX_NAMES; i++) {
    yaml_node_t *item = yf_item(list.file, list.node, i);
    if (item == NULL) {
      break;
    }
    const char *name = region_name(list.file, item);
    uw_buf_printf(&names, "%s%s", i == 0 ? "" : ", ", name != NULL ? name : "?");
  }
  (void)uw_err_set(err, UW_EXIT_USAGE, "%s:%zu: regions: no region %s; there are: %s",
                   list.file->path, yf_line(list.node), want, uw_buf_text(&names));
  uw_buf_free(&names);
  return -1;
}

/*
 * `regions`: the wanted one (region_name), else the first, as the SDK does; its `values`
 * override the entry.
 */
static int apply_region(struct layers *l, struct os_cloud *c, struct uw_err *err) {
  struct found list = find_one(l, false, "regions");
  if (list.node == NULL) {
    return 0;
  }
  if (list.node->type != YAML_SEQUENCE_NODE) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s:%zu: %s: regions: must be a list", list.file->path,
                      yf_line(list.node), l->cloud);
  }
  char where[YF_PATH_BYTES * 2];
  struct found found;
  const char *want;
  if (find_text(l, false, "region_name", &found, &want, where, err) != 0) {
    return -1;
  }
  for (size_t i = 0; i < MAX_NAMES; i++) {
    yaml_node_t *item = yf_item(list.file, list.node, i);
    const char *name = item == NULL ? NULL : region_name(list.file, item);
    if (item == NULL) {
      break;
    }
    if (name == NULL || (want != NULL && strcmp(want, name) != 0)) {
      continue;
    }
    yaml_node_t *values = yf_find(list.file, item, "values");
    if (values != NULL && l->count < MAX_LAYERS) {
      memmove(&l->layer[1], &l->layer[0], l->count * sizeof l->layer[0]);
      l->count++;
      l->layer[0] = (struct layer){list.file, values};
    }
    (void)snprintf(where, sizeof where, "%.1000s:%zu: regions", list.file->path, yf_line(item));
    return put_text(c->region, name, where, err);
  }
  return want == NULL ? 0 : no_region(list, want, err);
}

/* --- Checks over the whole ------------------------------------------------------------------- */

static enum os_auth infer_auth(const struct os_cloud *c) {
  if (c->appcred_secret != NULL && c->password == NULL) {
    return OS_AUTH_APPCRED;
  }
  return c->token != NULL && c->password == NULL ? OS_AUTH_TOKEN : OS_AUTH_PASSWORD;
}

static int set_auth(struct os_cloud *c, const char *type, const char *where, struct uw_err *err) {
  static const struct {
    const char *name;
    enum os_auth auth;
  } types[] = {{"password", OS_AUTH_PASSWORD},
               {"v3password", OS_AUTH_PASSWORD},
               {"token", OS_AUTH_TOKEN},
               {"v3token", OS_AUTH_TOKEN},
               {"v3applicationcredential", OS_AUTH_APPCRED}};
  if (type == NULL) {
    c->auth = infer_auth(c);
    return 0;
  }
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (strcmp(type, types[i].name) == 0) {
      c->auth = types[i].auth;
      return 0;
    }
  }
  return uw_err_set(err, UW_EXIT_USAGE,
                    "%s: authentication of type %.100s is not spoken here; use password, "
                    "v3applicationcredential or v3token",
                    where, type);
}

static int missing(const struct os_cloud *c, const char *what, struct uw_err *err) {
  return uw_err_set(err, UW_EXIT_USAGE, "%s: cloud %s: %s is missing", c->source, c->name, what);
}

static bool has_user(const struct os_cloud *c) {
  return c->user_id[0] != '\0' || c->username[0] != '\0';
}

static int check_auth(const struct os_cloud *c, struct uw_err *err) {
  switch (c->auth) {
  case OS_AUTH_PASSWORD:
    if (!has_user(c)) {
      return missing(c, "auth.username (OS_USERNAME)", err);
    }
    return c->password != NULL ? 0 : missing(c, "auth.password (OS_PASSWORD)", err);
  case OS_AUTH_APPCRED:
    if (c->appcred_id[0] == '\0' && (c->appcred_name[0] == '\0' || !has_user(c))) {
      return missing(c,
                     "auth.application_credential_id (OS_APPLICATION_CREDENTIAL_ID), or its "
                     "name with a user,",
                     err);
    }
    return c->appcred_secret != NULL
               ? 0
               : missing(c, "auth.application_credential_secret (OS_APPLICATION_CREDENTIAL_SECRET)",
                         err);
  case OS_AUTH_TOKEN: return c->token != NULL ? 0 : missing(c, "auth.token (OS_TOKEN)", err);
  case OS_AUTH_NONE: break;
  }
  return missing(c, "auth_type", err);
}

static int check_interface(struct os_cloud *c, struct uw_err *err) {
  size_t n = strlen(c->interface);
  if (n == 0) {
    (void)snprintf(c->interface, sizeof c->interface, "public");
  } else if (n > 3 && strcmp(c->interface + n - 3, "URL") == 0) {
    c->interface[n - 3] = '\0';
  }
  if (strcmp(c->interface, "public") != 0 && strcmp(c->interface, "internal") != 0 &&
      strcmp(c->interface, "admin") != 0) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "%s: cloud %s: interface %.100s: must be public, internal or admin",
                      c->source, c->name, c->interface);
  }
  return 0;
}

static int check_url(const struct os_cloud *c, const char *key, const char *url,
                     struct uw_err *err) {
  if (*url != '\0' && http_url_check(url) != 0) {
    return uw_err_set(err, UW_EXIT_USAGE,
                      "%s: cloud %s: %s: must be an http or https URL without user and password",
                      c->source, c->name, key);
  }
  return 0;
}

static int complete(struct os_cloud *c, const char *type, const char *where, struct uw_err *err) {
  if (set_auth(c, type, where, err) != 0 || check_interface(c, err) != 0) {
    return -1;
  }
  if (c->auth_url[0] == '\0') {
    return missing(c, "auth.auth_url (OS_AUTH_URL)", err);
  }
  if (check_url(c, "auth_url", c->auth_url, err) != 0 ||
      check_url(c, "compute_endpoint_override", c->compute_endpoint_override, err) != 0 ||
      check_url(c, "placement_endpoint_override", c->placement_endpoint_override, err) != 0 ||
      check_url(c, "network_endpoint_override", c->network_endpoint_override, err) != 0 ||
      check_url(c, "block_storage_endpoint_override", c->block_storage_endpoint_override, err) !=
          0 ||
      check_auth(c, err) != 0) {
    return -1;
  }
  if (c->auth == OS_AUTH_APPCRED && (c->project_id[0] != '\0' || c->project_name[0] != '\0')) {
    uw_warn("%s: cloud %s: the project is ignored: an application credential carries its own",
            c->source, c->name);
    c->project_id[0] = '\0';
    c->project_name[0] = '\0';
  }
  return 0;
}

/* --- The two kinds of clouds ----------------------------------------------------------------- */

static int fill_env(struct os_cloud *c, struct uw_err *err) {
  const char *name = NULL;
  (void)snprintf(c->name, sizeof c->name, "%s", ENV_CLOUD);
  (void)snprintf(c->source, sizeof c->source, "environment");
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    const char *value = env_first(fields[i].env, &name);
    char *field = text_of(c, fields[i].offset);
    if (value != NULL && wanted(c, &fields[i]) &&
        (fields[i].file ? put_path(field, value, name, err) : put_text(field, value, name, err)) !=
            0) {
      return -1;
    }
  }
  for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
    const char *value = env_first(secrets[i].env, &name);
    if (value != NULL && put_secret(secret_of(c, secrets[i].offset), value, name, err) != 0) {
      return -1;
    }
  }
  if (env("OS_INSECURE") != NULL &&
      read_bool(env("OS_INSECURE"), "OS_INSECURE", &c->insecure, err) != 0) {
    return -1;
  }
  return complete(c, env("OS_AUTH_TYPE"), "OS_AUTH_TYPE", err);
}

static int fill_entry(struct files *f, const char *name, struct os_cloud *c, struct uw_err *err) {
  struct layers l = {.cloud = name};
  add_layer(&l, &f->secure, yf_find(&f->secure, clouds_of(&f->secure), name));
  add_layer(&l, &f->clouds, yf_find(&f->clouds, clouds_of(&f->clouds), name));
  if (l.count == 0) {
    return unknown_cloud(f, name, err);
  }
  const struct layer *entry = &l.layer[l.count - 1];
  if (entry->map->type != YAML_MAPPING_NODE) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s:%zu: clouds.%s: must be a mapping", entry->file->path,
                      yf_line(entry->map), name);
  }
  if (put_text(c->name, name, "cloud", err) != 0 ||
      put_text(c->source, entry->file->path, "clouds.yaml", err) != 0 ||
      add_profile(f, &l, err) != 0 || apply_region(&l, c, err) != 0 ||
      check_auth_maps(&l, err) != 0) {
    return -1;
  }
  char region[OS_TEXT_BYTES];
  memcpy(region, c->region, sizeof region);
  char where[YF_PATH_BYTES * 2];
  struct found found;
  const char *type;
  if (fill_texts(&l, c, err) != 0 || fill_secrets(&l, c, err) != 0 ||
      fill_insecure(&l, c, err) != 0 ||
      find_text(&l, false, "auth_type", &found, &type, where, err) != 0) {
    return -1;
  }
  if (region[0] != '\0') {
    memcpy(c->region, region, sizeof region); /* the chosen one of `regions` */
  }
  return complete(c, type, where, err);
}

/* --- Choice ---------------------------------------------------------------------------------- */

static const char *choose_name(const char *flag, const char *configured) {
  if (flag != NULL && *flag != '\0') {
    return flag;
  }
  if (env("OS_CLOUD") != NULL) {
    return env("OS_CLOUD");
  }
  if (env("OS_AUTH_URL") != NULL) {
    return ENV_CLOUD;
  }
  return configured != NULL && *configured != '\0' ? configured : NULL;
}

static int load(const char *name, struct os_cloud *c, struct uw_err *err) {
  if (name != NULL && strcmp(name, ENV_CLOUD) == 0 && env("OS_AUTH_URL") != NULL) {
    return fill_env(c, err);
  }
  struct files f;
  memset(&f, 0, sizeof f);
  int result = load_files(&f, err);
  if (result == 0 && name == NULL) {
    result = choose(&f, &name, err);
  }
  if (result == 0) {
    result = fill_entry(&f, name, c, err);
  }
  files_free(&f);
  return result;
}

int os_cloud_load(const char *flag, const char *configured, struct os_cloud **ret,
                  struct uw_err *err) {
  *ret = NULL;
  struct os_cloud *c = calloc(1, sizeof *c);
  if (c == NULL) {
    return uw_err_set(err, UW_EXIT_USAGE, "no memory for a cloud's settings");
  }
  const char *name = choose_name(flag, configured);
  if (env("OS_CLOUD") != NULL && env("OS_AUTH_URL") != NULL) {
    uw_warn("OS_CLOUD and OS_AUTH_URL are both set: the cloud %s is used%s",
            name != NULL ? name : ENV_CLOUD,
            name == NULL || strcmp(name, ENV_CLOUD) == 0 ? ""
                                                         : ", the other OS_* variables are not");
  }
  if (load(name, c, err) != 0) {
    os_cloud_free(c);
    return -1;
  }
  *ret = c;
  return 0;
}
