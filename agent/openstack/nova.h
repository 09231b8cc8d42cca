/*
 * The OpenStack side: one authenticated session of one cloud, everything that is read about
 * one instance, and the one write.
 *
 * Calls and microversions: nova.md section 8. Every reply is bounded, strictly parsed, and
 * checked for type; what Nova did not say is marked as not known, never guessed.
 */
#ifndef UW_NOVA_H
#define UW_NOVA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/digest.h"
#include "agent/base/err.h"
#include "agent/openstack/clouds.h"
#include "recovery/decide.h"

#define NOVA_MAX_ACTIONS 256    /* instance actions kept, newest first */
#define NOVA_MAX_EVENT_HOSTS 64 /* distinct hosts of compute_* events */
#define NOVA_MAX_SERVICES 20000 /* nova-compute services of one cloud */
#define NOVA_MAX_MATCHES 20     /* servers of one name that are listed */

struct nova; /* a session */

struct nova_server {
  char id[RCV_ID_BYTES], name[RCV_TEXT_BYTES], status[RCV_ID_BYTES];
  char vm_state[RCV_ID_BYTES], task_state[RCV_ID_BYTES]; /* task_state "" = none */
  char host[RCV_TEXT_BYTES], hypervisor_hostname[RCV_TEXT_BYTES], instance_name[RCV_TEXT_BYTES];
  char project[RCV_ID_BYTES];
  bool host_visible; /* the host fields were in the reply */
  bool down_cell;    /* skeleton reply of a cell that does not answer (2.69) */
  int64_t updated_s; /* -1 not told */
  int64_t progress;  /* -1 not told */
  enum rcv_tri locked;
};

struct nova_migration {
  int64_t id;
  char uuid[RCV_ID_BYTES], type[RCV_ID_BYTES], status[RCV_ID_BYTES];
  char source[RCV_TEXT_BYTES], dest[RCV_TEXT_BYTES]; /* "" when null or hidden */
  char instance[RCV_ID_BYTES];
  int64_t created_s, updated_s; /* -1 not told */
};

struct nova_action {
  char action[RCV_ID_BYTES], request_id[RCV_ID_BYTES], user[RCV_ID_BYTES];
  int64_t start_s;
};

struct nova_service {
  char host[RCV_TEXT_BYTES];
  enum rcv_svc state; /* UP, DOWN, FORCED_DOWN */
};

struct nova_hypervisor {
  char service_host[RCV_TEXT_BYTES], hostname[RCV_TEXT_BYTES], type[RCV_ID_BYTES];
};

/* Live progress of GET /servers/ID/migrations for the newest record; -1 not told. */
struct nova_progress {
  int64_t memory_processed, memory_remaining, disk_processed, disk_remaining;
};

/* What is to be read (bits). */
enum nova_what {
  NOVA_SERVER = 1,
  NOVA_MIGRATIONS = 2, /* /os-migrations?instance_uuid= and the server's own list */
  NOVA_ACTIONS = 4,    /* and the events of the newest live-migration action and later ones */
  NOVA_SERVICES = 8,   /* nova-compute and nova-conductor */
  NOVA_HYPERVISORS = 16,
  NOVA_QUEUE = 32, /* other in-progress migrations from the newest record's source */
  NOVA_ALL = 63
};

/* Everything read about one instance; large, allocate it with nova_reading_new(). */
struct nova_reading {
  unsigned read; /* bits of what was read successfully */
  struct nova_server server;
  size_t migrations; /* newest first */
  struct nova_migration migration[RCV_MAX_RECORDS];
  bool too_many_migrations;
  struct nova_progress progress;
  size_t actions; /* newest first */
  struct nova_action action[NOVA_MAX_ACTIONS];
  size_t event_hosts; /* hosts of compute_* events of the newest live-migration and later ones */
  char event_host[NOVA_MAX_EVENT_HOSTS][RCV_TEXT_BYTES];
  bool too_many_event_hosts;    /* also: more later actions than are looked into */
  bool event_hosts_hidden;      /* a compute_* event without a host, or events not visible */
  size_t services;              /* nova-compute */
  struct nova_service *service; /* owned */
  enum rcv_tri conductor_up;
  size_t hypervisors;
  struct nova_hypervisor *hypervisor; /* owned */
  enum rcv_tri queued_behind;         /* another in-progress migration of that source exists */
  int64_t now_s;                      /* oldest HTTP Date of the replies, -1 none */
  int64_t start_ms, end_ms;           /* monotonic */
  char request_ids[8][RCV_ID_BYTES];  /* of the replies, for the evidence file; "" unused */
};

struct nova_reading *nova_reading_new(void); /* NULL without memory */
void nova_reading_free(struct nova_reading *r);

struct nova_options {
  int64_t connect_timeout_ms; /* default 5000 when 0 */
  int64_t timeout_ms;         /* one request, default 30000 when 0 */
  size_t max_reply_bytes;     /* default 8 MiB when 0 */
  int get_retries;            /* GET only, default 2 when 0; -1 = none */
  char run_id[RCV_ID_BYTES];  /* UUID sent as X-OpenStack-Request-ID: req-<uuid>, "" = none */
  bool debug;                 /* one line per exchange on stderr, never a secret */
};

/*
 * Authenticates, finds the compute endpoint, pins the microversion. Warnings (plain http,
 * OS_CLOUD and OS_AUTH_URL both set, ...) go to stderr. Errors: status UW_EXIT_USAGE for
 * credentials, configuration and an old cloud, UW_EXIT_UNKNOWN for an unreachable API.
 */
int nova_open(const struct os_cloud *cloud, const struct nova_options *options, struct nova **ret,
              struct uw_err *err) UW_MUST_USE;
void nova_close(struct nova *nova); /* wipes the token; NULL is fine */

int nova_max_minor(const struct nova *nova);          /* of the cloud's maximum 2.x */
const char *nova_user_id(const struct nova *nova);    /* of the token */
const char *nova_cloud_name(const struct nova *nova); /* as selected */

/*
 * UUID of an instance given as UUID (checked to exist) or as exact name (all projects). More
 * than one match: error that lists them, status UW_EXIT_USAGE; none: likewise.
 */
int nova_find(struct nova *nova, const char *uuid_or_name, char uuid[UW_UUID_TEXT_BYTES],
              struct uw_err *err) UW_MUST_USE;

/*
 * Reads what is asked for; independent GETs run side by side. On error out->read tells what
 * was read all the same; err has the first failure (404/401/403 -> UW_EXIT_USAGE, else
 * UW_EXIT_UNKNOWN). Names that do not fit are an error, never cut.
 */
int nova_read(struct nova *nova, const char *uuid, unsigned what, struct nova_reading *out,
              struct uw_err *err) UW_MUST_USE;

/*
 * How many instances of the whole cloud are MIGRATING and were not updated for older_than_s (by the
 * cloud's own clock): what looks wedged, the input of the storm gate. Counts at most
 * NOVA_MAX_WEDGED and stops there.
 */
#define NOVA_MAX_WEDGED 1000
int nova_count_wedged(struct nova *nova, int64_t older_than_s, int64_t *count,
                      struct uw_err *err) UW_MUST_USE;

enum nova_outcome { NOVA_OUTCOME_UNKNOWN = 0, NOVA_NOT_APPLIED, NOVA_DONE };

struct nova_reset_result {
  enum nova_outcome outcome;
  int http;                      /* status of the reply, 0 none came */
  char request_id[RCV_ID_BYTES]; /* Nova's id of the reply, "" none */
  char text[UW_ERR_TEXT_BYTES];  /* what came, in words */
};

/* Makes sure the token outlives the act; before the intent (contract S5). */
int nova_renew(struct nova *nova, int64_t needed_s, struct uw_err *err) UW_MUST_USE;

/*
 * POST os-resetState {"state":"active"} for the permit's instance. The permit must be spent
 * by the run machine just before (spent == 1) and is voided here, so a second call refuses
 * without sending. Sent at most once, never retried; a failure before anything was sent, or a
 * 4xx, is NOVA_NOT_APPLIED; 202 is NOVA_DONE; everything else NOVA_OUTCOME_UNKNOWN.
 */
void nova_reset(struct nova *nova, struct rcv_permit *permit, struct nova_reset_result *out);

#endif
