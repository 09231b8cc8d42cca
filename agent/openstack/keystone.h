/* Keystone v3: find it, get a token, find the endpoints of services in its catalog. */
#ifndef UW_KEYSTONE_H
#define UW_KEYSTONE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/http/http.h"
#include "agent/openstack/clouds.h"
#include "recovery/limits.h"

#define KS_URL_BYTES 1152     /* a base URL, with its NUL */
#define KS_MAX_ENDPOINTS 4096 /* endpoints of the catalog that are looked at */

/* A service of the catalog. */
enum ks_service {
  KS_COMPUTE = 0, /* Nova */
  KS_PLACEMENT,
  KS_NETWORK, /* Neutron */
  KS_VOLUME,  /* Cinder */
  KS_SERVICES
};

struct ks_token {
  char *text; /* owned; NULL when there is none */
  char user_id[RCV_ID_BYTES], project_id[RCV_ID_BYTES];
  bool admin;                   /* has the role admin */
  char limited[RCV_TEXT_BYTES]; /* name of an application credential with access rules, "" none */
  int64_t expires_mono_ms;      /* by the monotonic clock; its lifetime as Keystone told it */
};

/* Wipes and frees; a zeroed one is fine. */
void ks_token_free(struct ks_token *token);

/*
 * Base URL that ends in /v3, without a slash behind it. auth_url may end in /v3, /v2.0 or
 * neither, with or without a slash; only in the last two cases Keystone is asked.
 */
int ks_discover(struct http *http, const struct os_cloud *cloud, int retries,
                char base[KS_URL_BYTES], struct uw_err *err) UW_MUST_USE;

/*
 * POST /auth/tokens. extra is one more header ("X-OpenStack-Request-ID: ...") or NULL. On
 * success token is filled (free it first) and catalog is a new reference to the catalog's
 * array. Repeated like a read when Keystone is busy: it changes nothing but that a token
 * more exists. Errors: status UW_EXIT_USAGE for a refused credential or a token that Nova
 * would not take, UW_EXIT_UNKNOWN when Keystone does not answer properly.
 */
int ks_authenticate(struct http *http, const struct os_cloud *cloud, const char *base,
                    const char *extra, int retries, struct ks_token *token, json_t **catalog,
                    struct uw_err *err) UW_MUST_USE;

/*
 * The endpoint of a service for the cloud's interface and region (its override when it has
 * one), without a slash behind it. None, or several that region and interface do not tell apart:
 * an error that lists what there is. Types: the OpenStack service-types authority; volumev3 is
 * what catalogs call block-storage.
 */
int ks_endpoint(const json_t *catalog, const struct os_cloud *cloud, enum ks_service service,
                char endpoint[KS_URL_BYTES], struct uw_err *err) UW_MUST_USE;

#endif
