/*
 * clouds.yaml, secure.yaml and OS_* as openstacksdk reads them (nova.md section 8.5):
 * unknown keys ignored, bounded anchors and merges, first file wins, secure.yaml merged over.
 */
#ifndef UW_CLOUDS_H
#define UW_CLOUDS_H

#include <stdbool.h>

#include "agent/base/err.h"

enum os_auth { OS_AUTH_NONE = 0, OS_AUTH_PASSWORD, OS_AUTH_APPCRED, OS_AUTH_TOKEN };

#define OS_TEXT_BYTES 1024

/* Every text is "" when not given. Secrets are wiped by os_cloud_free(). */
struct os_cloud {
  char name[OS_TEXT_BYTES];   /* entry of clouds.yaml, or "envvars" */
  char source[OS_TEXT_BYTES]; /* file (or "environment") it came from */
  enum os_auth auth;
  char auth_url[OS_TEXT_BYTES];
  char username[OS_TEXT_BYTES], user_id[OS_TEXT_BYTES];
  char user_domain_name[OS_TEXT_BYTES], user_domain_id[OS_TEXT_BYTES];
  char project_name[OS_TEXT_BYTES], project_id[OS_TEXT_BYTES];
  char project_domain_name[OS_TEXT_BYTES], project_domain_id[OS_TEXT_BYTES];
  char appcred_id[OS_TEXT_BYTES], appcred_name[OS_TEXT_BYTES];
  char system_scope[OS_TEXT_BYTES];
  char *password, *appcred_secret, *token;              /* owned, NULL when not given */
  char region[OS_TEXT_BYTES], interface[OS_TEXT_BYTES]; /* interface default "public" */
  char cacert[OS_TEXT_BYTES], cert[OS_TEXT_BYTES], key[OS_TEXT_BYTES];
  bool insecure; /* verify: false, only when explicit */
  char compute_endpoint_override[OS_TEXT_BYTES], placement_endpoint_override[OS_TEXT_BYTES];
  char network_endpoint_override[OS_TEXT_BYTES], block_storage_endpoint_override[OS_TEXT_BYTES];
};

/*
 * Selects and loads: flag > OS_CLOUD > OS_* authentication variables (pseudo-cloud "envvars")
 * > configured > the only entry of the file. flag and configured may be NULL or "". Errors
 * name file, line and key where there is one; status UW_EXIT_USAGE. Free with os_cloud_free().
 */
int os_cloud_load(const char *flag, const char *configured, struct os_cloud **ret,
                  struct uw_err *err) UW_MUST_USE;
void os_cloud_free(struct os_cloud *cloud);

#endif
