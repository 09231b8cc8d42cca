/*
 * Lines whose words depend on the release of Nova. What is not known of it (no maximum told) is
 * said so that it holds for every release.
 */
#include "recovery/inner.h"
#include "recovery/text.h"

enum rcv_tri rcv_story_has(const struct rcv_story *s, enum rcv_trait trait) {
  return rcv_release_has(s->e->nova_last.max_minor, trait);
}

/* ---- OWNER_MOVED --------------------------------------------------------------------------- */

/* nova.md 2.3: the record `completed`, the host still the source, the guest on the destination. */
void rcv_say_how_it_came(const struct rcv_story *s, struct rcv_lines *l) {
  const struct rcv_nova *n = &s->e->nova_last;
  enum rcv_tri moves = rcv_story_has(s, RCV_TRAIT_FAILED_POST_MOVES);
  if (n->mig_present != RCV_TRI_YES || n->mig_status != RCV_MIG_COMPLETED ||
      n->task_state != RCV_TASK_MIGRATING || s->h < 0 || s->h != n->mig_source ||
      s->about != n->mig_dest) {
    return;
  }
  if (moves == RCV_TRI_NO) {
    rcv_say(l, s,
            "%R leaves it so when the last step of a live migration fails on %T: record "
            "`completed`, host and task_state not moved. It never heals this (Nova 2025.1 and late "
            "builds of 2024.1 no longer do it).");
  } else if (moves == RCV_TRI_YES) {
    rcv_say(l, s,
            "%R does not leave it so by itself: a failed last step gives vm_state error there, "
            "with the host set to %T. Find out who changed it (openstack server event list %i), or "
            "whether this build lacks that fix.");
  }
}

#define SQL_SET "   UPDATE instances SET host='%T', node='%N', launched_on='%T', task_state=NULL"
#define SQL_COMPUTE_ID                                                                             \
  "compute_id=(SELECT id FROM compute_nodes WHERE host='%T' AND hypervisor_hostname='%N' AND "     \
  "deleted=0)"
#define SQL_WHERE " WHERE uuid='%i' AND host='%H' AND "
#define SQL_NO_TASK "task_state IS NULL AND deleted=0;"
#define SQL_TASK "task_state='%A' AND deleted=0;"

static void say_update(const struct rcv_story *s, struct rcv_lines *l, int compute_id) {
  if (s->e->nova_last.task_state == RCV_TASK_NONE) {
    rcv_say(l, s,
            compute_id ? SQL_SET ", " SQL_COMPUTE_ID SQL_WHERE SQL_NO_TASK
                       : SQL_SET SQL_WHERE SQL_NO_TASK);
  } else {
    rcv_say(l, s,
            compute_id ? SQL_SET ", " SQL_COMPUTE_ID SQL_WHERE SQL_TASK
                       : SQL_SET SQL_WHERE SQL_TASK);
  }
}

void rcv_say_update(const struct rcv_story *s, struct rcv_lines *l) {
  enum rcv_tri column = rcv_story_has(s, RCV_TRAIT_COMPUTE_ID);
  if (column == RCV_TRI_YES) {
    say_update(s, l, 1);
  } else if (column == RCV_TRI_NO) {
    say_update(s, l, 0);
  } else if (s->e->nova_last.max_minor >= 0) {
    rcv_say(l, s,
            "   Which one: SHOW COLUMNS FROM instances LIKE 'compute_id'; if that prints nothing "
            "(2023.1):");
    say_update(s, l, 0);
    rcv_say(l, s, "   If it prints a row (2023.2):");
    say_update(s, l, 1);
  } else {
    say_update(s, l, 0);
    rcv_say(l, s, "   On Nova 2023.2 and later, in the same SET: " SQL_COMPUTE_ID);
  }
}

#define BINDINGS                                                                                   \
  "3. Neutron, for each port of `openstack port list --server %i`: GET "                           \
  "/v2.0/ports/PORT/bindings must show ACTIVE on %T. If not: PUT "                                 \
  "/v2.0/ports/PORT/bindings/%T/activate, then DELETE /v2.0/ports/PORT/bindings/%H "

void rcv_say_bindings(const struct rcv_story *s, struct rcv_lines *l) {
  enum rcv_tri service = rcv_story_has(s, RCV_TRAIT_SERVICE_ROLE);
  if (service == RCV_TRI_YES) {
    rcv_say(l, s, BINDINGS "(with role service: an admin's token gets 403).");
  } else if (service == RCV_TRI_NO) {
    rcv_say(l, s, BINDINGS "(with role admin; where Neutron is 2024.1 or later: role service).");
  } else {
    rcv_say(l, s, BINDINGS "(role service since 2024.1).");
  }
}

#define ATTACHMENTS                                                                                \
  "must be the one of %T (openstack --os-volume-api-version 3.27 volume attachment list "          \
  "--volume-id VOLUME); an attachment of %H left over is deleted only after that."

void rcv_say_attachments(const struct rcv_story *s, struct rcv_lines *l) {
  if (rcv_story_has(s, RCV_TRAIT_ATTACHMENT_IDS) == RCV_TRI_NO) {
    rcv_say(
        l, s,
        "4. Cinder, for each volume of `openstack server volume list %i`: its attachment_id (in "
        "the database: SELECT volume_id, attachment_id FROM block_device_mapping WHERE "
        "instance_uuid='%i' AND deleted=0;) " ATTACHMENTS);
  } else {
    rcv_say(l, s,
            "4. Cinder, for each volume of `openstack --os-compute-api-version 2.89 server volume "
            "list %i`: its attachment_id " ATTACHMENTS);
  }
}

/* ---- after a reset ------------------------------------------------------------------------- */

void rcv_say_volume_check(const struct rcv_story *s, struct rcv_lines *l) {
  if (rcv_story_has(s, RCV_TRAIT_ATTACHMENT_IDS) == RCV_TRI_NO) {
    rcv_say(l, s,
            "check: for each volume of `openstack server volume list %i`: openstack "
            "--os-volume-api-version 3.27 volume attachment list --volume-id VOLUME ; only the one "
            "of %H may be there (a migration that broke early leaves the other host's).");
  } else {
    rcv_say(l, s,
            "check: openstack --os-compute-api-version 2.89 server volume list %i ; each "
            "attachment must be the one of %H (a migration that broke early leaves the other "
            "host's).");
  }
}

void rcv_say_release_residue(const struct rcv_story *s, struct rcv_lines *l) {
  enum rcv_tri left_alone = rcv_story_has(s, RCV_TRAIT_PORTS_LEFT_ALONE);
  if (left_alone == RCV_TRI_NO) {
    rcv_say(
        l, s,
        "%R sets a wrong binding_host_id of a port right by itself: nova-compute on %H, when it "
        "is up, does so for one of its instances every 60 s.");
  } else if (left_alone == RCV_TRI_YES) {
    rcv_say(l, s,
            "%R does not set a wrong binding_host_id of a port right by itself any more: what is "
            "wrong there stays.");
  }
  if (rcv_story_has(s, RCV_TRAIT_RESET_RECORDED) == RCV_TRI_NO) {
    rcv_say(l, s, "%R keeps no action of a reset: our journal is its only trace.");
  }
}

/* ---- Placement, wherever it stands --------------------------------------------------------- */

const char *rcv_heal_words(const struct rcv_story *s) {
  return rcv_heal_is_forced(s->e->nova_last.max_minor)
             ? "nova-manage placement heal_allocations --instance %i --force"
             : "openstack resource provider allocation delete %i ; nova-manage placement "
               "heal_allocations --instance %i";
}

/* ---- the start of a dead nova-compute ------------------------------------------------------ */

int rcv_story_no_cure(const struct rcv_story *s) {
  return rcv_start_is_no_cure(s->e->nova_last.max_minor);
}

const char *rcv_no_cure_words(void) {
  return "%R: before 20.2.0 the start of nova-compute only clears the state; it ends neither a job "
         "nor the record.";
}
