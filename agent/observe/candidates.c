#include "agent/observe/candidates.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))
/* Records and actions are stamped by different machines of the cloud, whose clocks may differ by
 * this much. In doubt the reading that refuses more is taken. */
#define SKEW_S 60

int64_t obs_candidate_index(const struct rcv_evidence *e, const struct rcv_names *names,
                            const char *host) {
  if (host[0] == '\0') {
    return -1;
  }
  for (int64_t i = 0; i < e->candidates; i++) {
    if (strcmp(names->host[i].host, host) == 0) {
      return i;
    }
  }
  return -1;
}

static const struct nova_action *newest_live_action(const struct nova_reading *r) {
  for (size_t i = 0; i < r->actions; i++) {
    if (strcmp(r->action[i].action, "live-migration") == 0) {
      return &r->action[i];
    }
  }
  return NULL;
}

const struct nova_migration *obs_newest_live(const struct nova_reading *reading) {
  for (size_t i = 0; i < reading->migrations; i++) {
    if (strcmp(reading->migration[i].type, "live-migration") == 0) {
      return &reading->migration[i];
    }
  }
  return NULL;
}

static void copy_text(char *out, size_t n, const char *text) { (void)snprintf(out, n, "%s", text); }

static int64_t add(struct rcv_evidence *e, struct rcv_names *names, const char *host) {
  int64_t at = obs_candidate_index(e, names, host);
  if (at >= 0 || host[0] == '\0') {
    return at;
  }
  if (e->candidates >= RCV_MAX_CANDIDATES) {
    e->too_many = RCV_TRI_YES;
    return -1;
  }
  at = e->candidates;
  e->candidates = at + 1;
  e->candidate[at].of_newest_record = RCV_TRI_NO;
  e->candidate[at].also_probe = RCV_TRI_NO;
  copy_text(names->host[at].host, sizeof names->host[at].host, host);
  return at;
}

static void add_also(struct rcv_evidence *e, struct rcv_names *names, const char *host) {
  int64_t at = add(e, names, host);
  if (at >= 0) {
    e->candidate[at].also_probe = RCV_TRI_YES;
  }
}

/* A list that could not be read whole is no proof that a host is not on it. */
static void note_hypervisors(const struct nova_reading *r, struct rcv_evidence *e,
                             struct rcv_names *names) {
  bool whole = (r->read & NOVA_HYPERVISORS) != 0;
  for (int64_t i = 0; i < e->candidates; i++) {
    struct rcv_host_names *h = &names->host[i];
    e->candidate[i].hypervisor_listed = whole ? RCV_TRI_NO : RCV_TRI_UNKNOWN;
    for (size_t k = 0; k < r->hypervisors; k++) {
      if (strcmp(r->hypervisor[k].service_host, h->host) == 0) {
        e->candidate[i].hypervisor_listed = RCV_TRI_YES;
        copy_text(h->hypervisor_hostname, sizeof h->hypervisor_hostname, r->hypervisor[k].hostname);
        break;
      }
    }
  }
}

void obs_candidates(const struct nova_reading *reading, const struct obs_also *also,
                    struct rcv_evidence *e, struct rcv_names *names) {
  e->too_many =
      reading->too_many_migrations || reading->too_many_event_hosts ? RCV_TRI_YES : RCV_TRI_NO;
  (void)add(e, names, reading->server.host);
  const struct nova_migration *newest = obs_newest_live(reading);
  if (newest != NULL) {
    int64_t source = add(e, names, newest->source);
    int64_t dest = add(e, names, newest->dest);
    if (source >= 0) {
      e->candidate[source].of_newest_record = RCV_TRI_YES;
    }
    if (dest >= 0) {
      e->candidate[dest].of_newest_record = RCV_TRI_YES;
    }
  }
  for (size_t i = 0; i < reading->migrations; i++) {
    (void)add(e, names, reading->migration[i].source);
    (void)add(e, names, reading->migration[i].dest);
  }
  for (size_t i = 0; i < reading->event_hosts; i++) {
    (void)add(e, names, reading->event_host[i]);
  }
  for (size_t i = 0; i < also->count; i++) {
    add_also(e, names, also->host[i]);
  }
  for (size_t i = 0; also->everywhere && i < reading->hypervisors; i++) {
    add_also(e, names, reading->hypervisor[i].service_host);
  }
  note_hypervisors(reading, e, names);
}

/* A name Nova may use that the decision does not tell apart is "other", never "unknown". */
static int enum_or_other(const struct rcv_enum *type, const char *name, int other) {
  int value = rcv_enum_value(type, name);
  return value > 0 ? value : other;
}

static enum rcv_task task_of(const char *task) {
  if (task[0] == '\0') {
    return RCV_TASK_NONE;
  }
  if (strcmp(task, "migrating") == 0) {
    return RCV_TASK_MIGRATING;
  }
  if (strncmp(task, "resize_", 7) == 0) {
    return RCV_TASK_RESIZE;
  }
  if (strcmp(task, "deleting") == 0 || strcmp(task, "soft-deleting") == 0) {
    return RCV_TASK_DELETING;
  }
  if (strncmp(task, "rebuild", 7) == 0) {
    return RCV_TASK_REBUILDING;
  }
  return RCV_TASK_OTHER;
}

/* A resetState that left the server migrating did nothing: Nova writes the action before it saves
 * the instance, and died in between. One that worked leaves nothing for us to reset. */
static enum rcv_act newer_action_of(const struct nova_reading *r) {
  static const char *const harmless[] = {"lock", "unlock", "live_migration_cancel",
                                         "live_migration_force_complete", "resetState"};
  enum rcv_act worst = RCV_ACT_NONE;
  for (size_t i = 0; i < r->actions; i++) {
    const char *name = r->action[i].action;
    if (strcmp(name, "live-migration") == 0) {
      return worst;
    }
    bool known = false;
    for (size_t k = 0; k < ARRAY_LEN(harmless); k++) {
      known = known || strcmp(name, harmless[k]) == 0;
    }
    if (!known) {
      worst = RCV_ACT_OTHER;
    } else if (worst == RCV_ACT_NONE) {
      worst = RCV_ACT_HARMLESS;
    }
  }
  /* Migrating without any live-migration action: what came after it cannot be told. */
  return strcmp(r->server.task_state, "migrating") == 0 ? RCV_ACT_UNKNOWN : RCV_ACT_NONE;
}

static bool terminal(const struct nova_migration *m) {
  static const char *const ended[] = {"completed", "failed", "cancelled", "error"};
  for (size_t i = 0; i < ARRAY_LEN(ended); i++) {
    if (strcmp(m->status, ended[i]) == 0) {
      return true;
    }
  }
  return false;
}

/*
 * A record older than the newest action belongs to an earlier one (nova.md section 5.1). Where
 * clocks could have swapped the two, it counts as the action's when it has not ended (it may still
 * be worked on), when it is `completed` (then the guest should have moved), or when it was
 * changed after the action began; any other one does not: the action's own may yet come.
 */
static bool belongs_to(const struct nova_migration *m, const struct nova_action *action) {
  if (action == NULL || m->created_s >= action->start_s) {
    return true;
  }
  bool could =
      !terminal(m) || strcmp(m->status, "completed") == 0 || m->updated_s >= action->start_s;
  return could && m->created_s >= action->start_s - SKEW_S;
}

static enum rcv_evac evacuation_of(const struct nova_reading *r,
                                   const struct nova_migration *newest) {
  enum rcv_evac worst = RCV_EVAC_NONE;
  for (size_t i = 0; i < r->migrations; i++) {
    const struct nova_migration *m = &r->migration[i];
    if (strcmp(m->type, "evacuation") != 0) {
      continue;
    }
    bool newer = newest == NULL || m->created_s >= newest->created_s - SKEW_S;
    if (strcmp(m->status, "accepted") == 0 || strcmp(m->status, "pre-migrating") == 0) {
      return RCV_EVAC_PENDING;
    }
    bool done = strcmp(m->status, "done") == 0 || strcmp(m->status, "completed") == 0;
    if (done && newer) {
      worst = RCV_EVAC_DONE_NEWER;
    } else if (worst == RCV_EVAC_NONE) {
      worst = RCV_EVAC_OLDER;
    }
  }
  return worst;
}

static enum rcv_hv hypervisor_of(const struct nova_reading *r) {
  for (size_t i = 0; i < r->hypervisors; i++) {
    if (strcmp(r->hypervisor[i].service_host, r->server.host) == 0) {
      return strcmp(r->hypervisor[i].type, "QEMU") == 0 ? RCV_HV_QEMU : RCV_HV_OTHER;
    }
  }
  return RCV_HV_UNKNOWN;
}

static enum rcv_svc service_of(const struct nova_reading *r, const char *host) {
  if ((r->read & NOVA_SERVICES) == 0) {
    return RCV_SVC_UNKNOWN;
  }
  for (size_t i = 0; i < r->services; i++) {
    if (strcmp(r->service[i].host, host) == 0) {
      return r->service[i].state;
    }
  }
  return RCV_SVC_MISSING;
}

static enum rcv_api api_of(const struct nova_reading *r) {
  const unsigned needed = NOVA_SERVER | NOVA_MIGRATIONS | NOVA_ACTIONS | NOVA_SERVICES;
  /* A cell that does not answer also fails the other reads: it is the better reason. */
  if ((r->read & NOVA_SERVER) != 0 && r->server.down_cell) {
    return RCV_API_DOWN_CELL;
  }
  if ((r->read & needed) != needed) {
    return RCV_API_UNAVAILABLE;
  }
  /* Hosts of events are candidates: not to see them is not to know where to look. */
  return r->server.host_visible && !r->event_hosts_hidden ? RCV_API_OK : RCV_API_HIDDEN;
}

static void convert_record(const struct nova_reading *r, const struct rcv_evidence *e,
                           const struct rcv_names *names, struct rcv_nova *out) {
  const struct nova_migration *newest = obs_newest_live(r);
  const struct nova_action *action = newest_live_action(r);
  out->action_start_s = action != NULL ? action->start_s : -1;
  bool belongs = newest != NULL && belongs_to(newest, action);
  out->mig_present = belongs ? RCV_TRI_YES : RCV_TRI_NO;
  out->mig_type = RCV_MTYPE_UNKNOWN;
  for (size_t i = 0; i < r->migrations && out->mig_type == RCV_MTYPE_UNKNOWN; i++) {
    int type = enum_or_other(&rcv_mtype_enum, r->migration[i].type, RCV_MTYPE_OTHER);
    if (type != RCV_MTYPE_EVACUATION) { /* evacuations are a fact of their own */
      out->mig_type = (enum rcv_mtype)type;
    }
  }
  out->older_nonterminal = 0;
  for (size_t i = 0; i < r->migrations; i++) {
    const struct nova_migration *m = &r->migration[i];
    bool is_newest = belongs && m == newest;
    if (!is_newest && strcmp(m->type, "live-migration") == 0 && !terminal(m)) {
      out->older_nonterminal++;
    }
  }
  if (!belongs) {
    return;
  }
  out->mig_id = newest->id;
  out->mig_status = (enum rcv_mig)enum_or_other(&rcv_mig_enum, newest->status, RCV_MIG_OTHER);
  out->mig_source = obs_candidate_index(e, names, newest->source);
  out->mig_dest = obs_candidate_index(e, names, newest->dest);
  out->mig_created_s = newest->created_s;
  out->mig_updated_s = newest->updated_s >= 0 ? newest->updated_s : newest->created_s;
  out->memory_processed = r->progress.memory_processed;
  out->memory_remaining = r->progress.memory_remaining;
  out->disk_processed = r->progress.disk_processed;
  out->disk_remaining = r->progress.disk_remaining;
}

/* Every host of the reading must be a candidate already, and the ends of the newest record must
 * be marked as such; else the list was made from an older state of Nova. */
static int list_is_current(const struct nova_reading *r, const struct obs_also *also,
                           const struct rcv_evidence *e, const struct rcv_names *names) {
  static const struct rcv_evidence empty_evidence;
  static const struct rcv_names empty_names;
  struct rcv_evidence fresh = empty_evidence;
  struct rcv_names fresh_names = empty_names;
  obs_candidates(r, also, &fresh, &fresh_names);
  if (fresh.candidates != e->candidates || fresh.too_many != e->too_many) {
    return -1;
  }
  for (int64_t i = 0; i < e->candidates; i++) {
    if (strcmp(fresh_names.host[i].host, names->host[i].host) != 0 ||
        fresh.candidate[i].of_newest_record != e->candidate[i].of_newest_record) {
      return -1;
    }
  }
  return 0;
}

int obs_convert(const struct nova_reading *reading, const struct obs_also *also,
                const struct rcv_evidence *e, const struct rcv_names *names, struct rcv_nova *out,
                enum rcv_svc services[RCV_MAX_CANDIDATES]) {
  rcv_nova_init(out);
  for (int64_t i = 0; i < RCV_MAX_CANDIDATES; i++) {
    services[i] = RCV_SVC_UNKNOWN;
  }
  out->start_ms = reading->start_ms;
  out->end_ms = reading->end_ms;
  out->now_s = reading->now_s;
  out->api = api_of(reading);
  if (out->api == RCV_API_UNAVAILABLE) {
    return 0;
  }
  out->vm_state = (enum rcv_vm)enum_or_other(&rcv_vm_enum, reading->server.vm_state, RCV_VM_OTHER);
  out->task_state = task_of(reading->server.task_state);
  out->record_host = obs_candidate_index(e, names, reading->server.host);
  out->hypervisor = hypervisor_of(reading);
  out->server_updated_s = reading->server.updated_s;
  out->locked = reading->server.locked;
  out->progress = reading->server.progress;
  out->newer_action = newer_action_of(reading);
  out->evacuation = evacuation_of(reading, obs_newest_live(reading));
  out->queued_behind = reading->queued_behind;
  out->records = (int64_t)reading->migrations;
  out->conductor_up = reading->conductor_up;
  convert_record(reading, e, names, out);
  for (int64_t i = 0; i < e->candidates; i++) {
    services[i] = service_of(reading, names->host[i].host);
  }
  return list_is_current(reading, also, e, names);
}

void obs_instance_texts(const struct nova_reading *reading, struct rcv_names *names) {
  const struct nova_server *s = &reading->server;
  copy_text(names->instance, sizeof names->instance, s->id);
  copy_text(names->name, sizeof names->name, s->name);
  copy_text(names->instance_name, sizeof names->instance_name, s->instance_name);
  copy_text(names->project, sizeof names->project, s->project);
  copy_text(names->status, sizeof names->status, s->status);
  copy_text(names->vm_state, sizeof names->vm_state, s->vm_state);
  copy_text(names->task_state, sizeof names->task_state, s->task_state);
  const struct nova_migration *newest = obs_newest_live(reading);
  const struct nova_action *action = newest_live_action(reading);
  copy_text(names->migration_uuid, sizeof names->migration_uuid,
            newest != NULL ? newest->uuid : "");
  copy_text(names->migration_status, sizeof names->migration_status,
            newest != NULL ? newest->status : "");
  copy_text(names->action_request_id, sizeof names->action_request_id,
            action != NULL ? action->request_id : "");
  bool newer = action != NULL && reading->actions > 0 && action != &reading->action[0];
  copy_text(names->newer_action, sizeof names->newer_action,
            newer ? reading->action[0].action : "");
}

enum rcv_tri obs_only_lock_changed(const struct nova_reading *before,
                                   const struct nova_reading *now) {
  const char *known = before->actions > 0 ? before->action[0].request_id : "";
  enum rcv_tri only = RCV_TRI_NO;
  for (size_t i = 0; i < now->actions; i++) {
    if (strcmp(now->action[i].request_id, known) == 0) {
      return only;
    }
    if (strcmp(now->action[i].action, "lock") != 0 &&
        strcmp(now->action[i].action, "unlock") != 0) {
      return RCV_TRI_NO;
    }
    only = RCV_TRI_YES;
  }
  return only;
}
