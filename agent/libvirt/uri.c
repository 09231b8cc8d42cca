/*
 * Which libvirt URIs may be opened. Everything is on a list of what is allowed: parameters that
 * run programs (command, netcat, ext), skip verification (no_verify, known_hosts_verify=ignore),
 * or make another driver answer (name) are refused like any that nobody thought of.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/libvirt/probe.h"

#define MAX_PARAMS 16

enum transport { LOCAL, TLS, TCP, SSH, LIBSSH };

static const struct {
  const char *scheme;
  enum transport transport;
} schemes[] = {{"qemu", LOCAL},         {"qemu+unix", LOCAL}, {"qemu+tls", TLS},
               {"qemu+tcp", TCP},       {"qemu+ssh", SSH},    {"qemu+libssh", LIBSSH},
               {"qemu+libssh2", LIBSSH}};

struct parts {
  enum transport transport;
  bool bare; /* no "+transport" */
  char user[64];
  char host[256];
  char query[PROBE_URI_BYTES];
};

static int refuse(struct uw_err *err, const char *uri, const char *why) {
  return uw_err_set(err, UW_EXIT_USAGE, "libvirt URI '%.300s': %s", uri, why);
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c = (char)tolower((unsigned char)c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX once, as libvirt does. false: malformed, or a control character comes out. */
static bool percent_decode(const char *in, size_t n, char *out, size_t max) {
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    char c = in[i];
    if (c == '%') {
      if (n - i < 3 || hex_digit(in[i + 1]) < 0 || hex_digit(in[i + 2]) < 0) {
        return false;
      }
      c = (char)(hex_digit(in[i + 1]) * 16 + hex_digit(in[i + 2]));
      i += 2;
    }
    if ((unsigned char)c < 0x20 || c == 0x7f || used + 1 >= max) {
      return false;
    }
    out[used++] = c;
  }
  out[used] = '\0';
  return true;
}

static bool plain_ascii(const char *uri) {
  for (; *uri != '\0'; uri++) {
    if ((unsigned char)*uri <= 0x20 || (unsigned char)*uri >= 0x7f) {
      return false;
    }
  }
  return true;
}

static bool host_ok(const char *host) {
  if (*host == '-' || *host == '.') {
    return false; /* ssh would take "-x" for an option */
  }
  for (; *host != '\0' && *host != '['; host++) {
    if (!isalnum((unsigned char)*host) && strchr("._-", *host) == NULL) {
      return false;
    }
  }
  if (*host == '[') {
    size_t n = strspn(host + 1, "0123456789abcdefABCDEF:.");
    return n > 0 && strcmp(host + 1 + n, "]") == 0;
  }
  return true;
}

static bool port_ok(const char *port) {
  size_t n = strspn(port, "0123456789");
  return n > 0 && n <= 5 && port[n] == '\0';
}

/* [user@]host[:port] into user and host (a bracketed IPv6 address keeps its brackets). */
static bool take_authority(const char *text, size_t n, struct parts *p) {
  char copy[sizeof p->host];
  if (n >= sizeof copy) {
    return false;
  }
  memcpy(copy, text, n);
  copy[n] = '\0';
  char *host = strchr(copy, '@');
  if (host != NULL) {
    *host++ = '\0';
    if (*copy == '-' || *copy == '\0' || strlen(copy) >= sizeof p->user) {
      return false;
    }
    for (const char *c = copy; *c != '\0'; c++) {
      if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL) {
        return false; /* a password after ':' as well: it would end up in files and logs */
      }
    }
    (void)snprintf(p->user, sizeof p->user, "%s", copy);
  } else {
    host = copy;
  }
  char *close = strrchr(host, ']');
  char *colon = strrchr(host, ':');
  if (colon != NULL && (close == NULL || colon > close)) {
    *colon = '\0';
    if (!port_ok(colon + 1)) {
      return false;
    }
  }
  (void)snprintf(p->host, sizeof p->host, "%s", host);
  return host_ok(host);
}

static int take_scheme(const char *uri, size_t n, struct parts *p, struct uw_err *err) {
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
    if (strlen(schemes[i].scheme) == n && memcmp(schemes[i].scheme, uri, n) == 0) {
      p->transport = schemes[i].transport;
      p->bare = strchr(schemes[i].scheme, '+') == NULL;
      return 0;
    }
  }
  return refuse(err, uri,
                "only qemu, qemu+tls, qemu+ssh, qemu+libssh, qemu+libssh2, qemu+tcp and "
                "qemu+unix are allowed (other drivers answer for other things, 'ext' "
                "runs programs)");
}

static int split(const char *uri, struct parts *p, struct uw_err *err) {
  memset(p, 0, sizeof *p);
  if (strlen(uri) >= PROBE_URI_BYTES || !plain_ascii(uri)) {
    return refuse(err, uri, "it is too long, or has a character that belongs percent-encoded");
  }
  if (strchr(uri, '#') != NULL) {
    return refuse(err, uri, "a fragment ('#') has no meaning here");
  }
  const char *mark = strstr(uri, "://");
  if (mark == NULL) {
    return refuse(err, uri, "it is not of the form qemu+tls://HOST/system");
  }
  if (take_scheme(uri, (size_t)(mark - uri), p, err) != 0) {
    return -1;
  }
  const char *authority = mark + 3;
  const char *path = authority + strcspn(authority, "/?");
  if (!take_authority(authority, (size_t)(path - authority), p)) {
    return refuse(err, uri,
                  "the host, user or port in it is malformed (a password is not allowed)");
  }
  if (p->bare && p->host[0] != '\0') {
    p->transport = TLS;
  }
  char decoded[64] = "";
  size_t path_len = strcspn(path, "?");
  if (path_len >= sizeof decoded || !percent_decode(path, path_len, decoded, sizeof decoded) ||
      strcmp(decoded, "/system") != 0) {
    return refuse(err, uri, "the path must be /system: a session daemon knows no Nova guest");
  }
  if (path[path_len] == '?') {
    (void)snprintf(p->query, sizeof p->query, "%s", path + path_len + 1);
  }
  return 0;
}

static bool absolute(const char *value) { return *value == '/'; }

static bool is_one(const char *value) { return strcmp(value, "1") == 0; }

static bool any_text(const char *value) { return *value != '\0'; }

static bool known_mode(const char *value) {
  return strcmp(value, "auto") == 0 || strcmp(value, "direct") == 0 || strcmp(value, "legacy") == 0;
}

static bool known_proxy(const char *value) {
  return strcmp(value, "auto") == 0 || strcmp(value, "native") == 0;
}

static bool strict_verify(const char *value) { return strcmp(value, "normal") == 0; }

/* Not password or keyboard-interactive: nobody is there to answer. */
static bool quiet_auth(const char *value) {
  while (*value != '\0') {
    size_t n = strcspn(value, ",");
    if (!(n == 5 && memcmp(value, "agent", 5) == 0) &&
        !(n == 7 && memcmp(value, "privkey", 7) == 0)) {
      return false;
    }
    value += n;
    if (*value == ',') {
      value++;
      if (*value == '\0') {
        return false;
      }
    }
  }
  return true;
}

static const struct {
  const char *name;
  bool (*allowed)(const char *value);
} params[] = {{"no_tty", is_one},        {"keyfile", absolute},
              {"known_hosts", absolute}, {"known_hosts_verify", strict_verify},
              {"pkipath", absolute},     {"authfile", absolute},
              {"socket", absolute},      {"tls_priority", any_text},
              {"mode", known_mode},      {"proxy", known_proxy},
              {"sshauth", quiet_auth}};

static bool param_ok(const char *name, const char *value) {
  for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
    if (strcasecmp(params[i].name, name) == 0) { /* libvirt ignores case here */
      return params[i].allowed(value);
    }
  }
  return false;
}

/* Goes through the query as libvirt does: '&' and ';' separate, name and value are decoded. */
static int check_query(const char *uri, const struct parts *p, bool *no_tty, struct uw_err *err) {
  *no_tty = false;
  int count = 0;
  for (const char *at = p->query; *at != '\0';) {
    char name[64];
    char value[PROBE_URI_BYTES];
    size_t n = strcspn(at, "&;");
    const char *equals = memchr(at, '=', n);
    size_t name_len = equals != NULL ? (size_t)(equals - at) : n;
    size_t value_at = equals != NULL ? name_len + 1 : n;
    if (++count > MAX_PARAMS || !percent_decode(at, name_len, name, sizeof name) ||
        !percent_decode(at + value_at, n - value_at, value, sizeof value)) {
      return refuse(err, uri, "its parameters are too many or malformed");
    }
    if (n > 0 && !param_ok(name, value)) {
      return uw_err_set(err, UW_EXIT_USAGE,
                        "libvirt URI '%.300s': parameter '%s' with this value is not allowed; "
                        "allowed are no_tty=1, keyfile, known_hosts, known_hosts_verify=normal, "
                        "pkipath, authfile, socket (absolute paths), tls_priority, mode, "
                        "proxy=auto|native, sshauth=agent,privkey",
                        uri, name);
    }
    *no_tty = *no_tty || strcasecmp(name, "no_tty") == 0;
    at += n;
    at += *at != '\0' ? 1 : 0;
  }
  return 0;
}

static int check(const char *uri, struct parts *p, bool *no_tty, struct uw_err *err) {
  if (split(uri, p, err) != 0) {
    return -1;
  }
  if (p->transport != LOCAL && p->host[0] == '\0') {
    return refuse(err, uri, "the host is missing");
  }
  if (p->transport == LOCAL && p->host[0] != '\0') {
    return refuse(err, uri, "the unix transport has no host");
  }
  if (p->user[0] != '\0' && p->transport != SSH && p->transport != LIBSSH) {
    return refuse(err, uri, "a user belongs only to the ssh transports");
  }
  return check_query(uri, p, no_tty, err);
}

int probe_uri_check(const char *uri, char warn[UW_ERR_TEXT_BYTES], struct uw_err *err) {
  struct parts p;
  bool no_tty = false;
  warn[0] = '\0';
  if (check(uri, &p, &no_tty, err) != 0) {
    return -1;
  }
  if (p.transport == TCP) {
    (void)snprintf(warn, UW_ERR_TEXT_BYTES,
                   "libvirt URI '%.300s': plain tcp is neither encrypted nor authenticated; "
                   "anybody on the way can answer in the host's name. Use qemu+tls or qemu+ssh",
                   uri);
  }
  return 0;
}

int probe_uri_for_use(const char *uri, char out[PROBE_URI_BYTES], struct uw_err *err) {
  struct parts p;
  bool no_tty = false;
  out[0] = '\0';
  if (check(uri, &p, &no_tty, err) != 0) {
    return -1;
  }
  const char *add = "";
  if (p.transport == SSH && !no_tty) {
    add = strchr(uri, '?') == NULL ? "?no_tty=1" : "&no_tty=1";
  }
  int n = snprintf(out, PROBE_URI_BYTES, "%s%s", uri, add);
  if (n < 0 || n >= PROBE_URI_BYTES) {
    out[0] = '\0';
    return refuse(err, uri, "it is too long");
  }
  return 0;
}
