/* From a host of Nova to a libvirt URI and the identity that has to answer there. */
#include <stdio.h>
#include <string.h>

#include "agent/config/inner.h"

#define NAME_BYTES 254 /* a DNS name, with its NUL */

/* Only what cannot end the host part of a URI, begin an option, or be percent-decoded. */
static bool safe_in_uri(const char *name) {
  size_t n = strlen(name);
  for (size_t i = 0; i < n; i++) {
    char c = name[i];
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alnum && (i == 0 || (c != '-' && c != '_' && c != '.'))) {
      return false;
    }
  }
  return n > 0 && n < NAME_BYTES;
}

struct uw_placeholders uw_config_placeholders(const char *template) {
  struct uw_placeholders has = {false, false};
  for (const char *at = strchr(template, '%'); at != NULL && at[1] != '\0';
       at = strchr(at + 2, '%')) {
    has.hypervisor = has.hypervisor || at[1] == 'h';
    has.host = has.host || at[1] == 'n';
  }
  return has;
}

/* Names come from Nova's database: what is shown of them is printable ASCII. */
static void printable(const char *name, char out[64]) {
  size_t i = 0;
  for (; name[i] != '\0' && i < 60; i++) {
    out[i] = '?';
    if (name[i] >= ' ' && name[i] <= '~') {
      out[i] = name[i];
    }
  }
  (void)snprintf(out + i, 64 - i, "%s", name[i] != '\0' ? "..." : "");
}

static int unsafe(const char *name, struct pol_error *error) {
  char shown[64];
  printable(name, shown);
  return pol_fail(
      error,
      "'%s' cannot be put into a URI (letters, digits, '.', '-' and '_' can); give this "
      "host a uri under hosts.overrides",
      shown);
}

int uw_config_expand(const char *template, const char *host, const char *hypervisor_hostname,
                     char out[PROBE_URI_BYTES], struct pol_error *error) {
  size_t used = 0;
  out[0] = '\0';
  for (const char *at = template; *at != '\0'; at++) {
    char single[2] = {*at, '\0'};
    const char *piece = single;
    if (*at == '%') {
      at++;
      if (*at != 'h' && *at != 'n' && *at != '%') {
        return pol_fail(error, "has a %% without h or n behind it; write %%%% for a percent sign");
      }
      piece = *at == 'h' ? hypervisor_hostname : *at == 'n' ? host : "%";
      if (*at != '%' && !safe_in_uri(piece)) {
        return unsafe(piece, error);
      }
    }
    size_t n = strlen(piece);
    if (used + n >= PROBE_URI_BYTES) {
      return pol_fail(error, "makes a URI of more than %d bytes; shorten it", PROBE_URI_BYTES - 1);
    }
    memcpy(out + used, piece, n + 1);
    used += n;
  }
  return 0;
}

static const struct uw_host_override *find_override(const struct uw_config *config,
                                                    const char *host) {
  for (size_t i = 0; i < config->overrides; i++) {
    if (strcmp(config->override[i].host, host) == 0) {
      return &config->override[i];
    }
  }
  return NULL;
}

static bool copy_name(char out[RCV_TEXT_BYTES], const char *name) {
  size_t n = strlen(name);
  if (n >= RCV_TEXT_BYTES) {
    return false;
  }
  memcpy(out, name, n + 1);
  return true;
}

/* The URI of the host, "" when none can be made because Nova told no hypervisor. */
static int make_uri(const struct uw_config *config, const struct uw_host_override *override,
                    const char *hypervisor, struct probe_target *target, struct pol_error *why) {
  const char *template = config->value[UW_CONFIG_URI];
  if (override != NULL && override->uri[0] != '\0') {
    (void)snprintf(target->uri, sizeof target->uri, "%s", override->uri);
    return 0;
  }
  if (hypervisor[0] == '\0' && uw_config_placeholders(template).hypervisor) {
    return 0;
  }
  return uw_config_expand(template, target->host, hypervisor, target->uri, why);
}

static int unmapped(struct probe_target *target, const char *what, struct uw_err *err) {
  char shown[64];
  printable(target->host, shown);
  target->uri[0] = '\0';
  target->expect_hostname[0] = '\0';
  return uw_err_set(err, UW_EXIT_UNKNOWN, "host %s: %s", shown, what);
}

int uw_config_target(const struct uw_config *config, const char *host,
                     const char *hypervisor_hostname, struct probe_target *target,
                     char warn[UW_ERR_TEXT_BYTES], struct uw_err *err) {
  struct pol_error why = {""};
  struct uw_err bad;
  uw_err_clear(&bad);
  memset(target, 0, sizeof *target);
  warn[0] = '\0';
  if (host[0] == '\0' || !copy_name(target->host, host)) {
    return unmapped(target, "the host name is empty or too long", err);
  }
  const struct uw_host_override *override = find_override(config, host);
  const char *expected =
      override != NULL && override->hostname[0] != '\0' ? override->hostname : hypervisor_hostname;
  const char *hypervisor = hypervisor_hostname[0] != '\0' ? hypervisor_hostname : expected;
  if (!copy_name(target->expect_hostname, expected)) {
    return unmapped(target, "the hypervisor_hostname is too long", err);
  }
  if (override != NULL) {
    (void)snprintf(target->expect_uuid, sizeof target->expect_uuid, "%s", override->uuid);
  }
  if (make_uri(config, override, hypervisor, target, &why) != 0) {
    return unmapped(target, why.text, err);
  }
  if (target->uri[0] == '\0' || target->expect_hostname[0] == '\0') {
    target->uri[0] = '\0';
    target->expect_hostname[0] = '\0';
    return 0;
  }
  if (probe_uri_check(target->uri, warn, &bad) != 0) {
    warn[0] = '\0';
    return unmapped(target, bad.text, err);
  }
  return 0;
}
