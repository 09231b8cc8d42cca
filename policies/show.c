/* A policy as it is shown and digested: one item per parameter, and warnings. */
#include <stdio.h>
#include <string.h>

#include "policies/fields.h"

static const char *choice_name(int64_t value) {
  return value == POL_EXCLUSIVITY_ALL          ? "all"
         : value == POL_EXCLUSIVITY_CANDIDATES ? "candidates"
                                               : "none";
}

static void add_text(struct pol_item *item, const char *text) {
  if (item->texts < POL_LIST_MAX) {
    item->text[item->texts++] = text;
  }
}

static void fill_number(const struct pol_policy *policy, struct pol_item *item) {
  const struct pol_param_info *info = item->info;
  item->number = pol_number(policy, info);
  (void)snprintf(item->value, sizeof item->value, "%lld", (long long)item->number);
  (void)snprintf(item->range, sizeof item->range, "%lld..%lld",
                 (long long)(policy->lab_only == 1 ? info->lab_min : info->min),
                 (long long)info->max);
}

static void fill_bool(const struct pol_policy *policy, struct pol_item *item) {
  const struct pol_param_info *info = item->info;
  int fixed = info->min == 1 && policy->lab_only != 1;
  item->number = pol_number(policy, info);
  (void)snprintf(item->value, sizeof item->value, "%s", item->number == 1 ? "true" : "false");
  (void)snprintf(item->range, sizeof item->range, "%s", fixed ? "true" : "true or false");
}

static void fill_mask(const struct pol_policy *policy, struct pol_item *item) {
  item->number = pol_number(policy, item->info);
  for (int64_t bit = 1; bit <= POL_ATTEST_ALL; bit *= 2) {
    const char *name = pol_attest_name(bit);
    if ((item->number & bit) != 0 && name != NULL) {
      add_text(item, name);
    }
  }
}

static void fill_list(const struct pol_policy *policy, struct pol_item *item) {
  const struct pol_texts *list = pol_member(policy, item->info);
  for (int64_t i = 0; i < list->count; i++) {
    add_text(item, list->text[i]);
  }
}

static void fill_freeze(const struct pol_policy *policy, struct pol_item *item) {
  const struct pol_freeze *freeze = pol_member(policy, item->info);
  for (int64_t i = 0; i < freeze->count; i++) {
    add_text(item, freeze->window[i].text);
  }
}

/* "[a, b]"; a list that does not fit ends in "...]". */
static void write_list(struct pol_item *item) {
  size_t room = sizeof item->value;
  size_t used = (size_t)snprintf(item->value, room, "[");
  for (int64_t i = 0; i < item->texts; i++) {
    size_t need = strlen(item->text[i]) + 2;
    if (used + need + sizeof ", ...]" > room) {
      (void)snprintf(item->value + used, room - used, "%s...]", i > 0 ? ", " : "");
      return;
    }
    used +=
        (size_t)snprintf(item->value + used, room - used, "%s%s", i > 0 ? ", " : "", item->text[i]);
  }
  (void)snprintf(item->value + used, room - used, "]");
}

/* One text by itself: none is "", one that does not fit ends in "...". */
static void write_single(struct pol_item *item) {
  const char *text = item->texts > 0 ? item->text[0] : "";
  int fits = strlen(text) < sizeof item->value;
  (void)snprintf(item->value, sizeof item->value, "%.*s%s", (int)sizeof item->value - 4, text,
                 fits && strlen(text) <= sizeof item->value - 4 ? "" : "...");
}

int pol_item(const struct pol_policy *policy, enum pol_param param, struct pol_item *item) {
  memset(item, 0, sizeof *item);
  const struct pol_param_info *info = pol_param_info(param);
  if (info == NULL) {
    return -1;
  }
  item->info = info;
  switch (info->type) {
  case POL_TYPE_NONE: return -1;
  case POL_TYPE_INT: fill_number(policy, item); break;
  case POL_TYPE_BOOL: fill_bool(policy, item); break;
  case POL_TYPE_CHOICE:
    item->number = pol_number(policy, info);
    add_text(item, choice_name(item->number));
    write_single(item);
    (void)snprintf(item->range, sizeof item->range, "candidates or all");
    break;
  case POL_TYPE_MASK:
    fill_mask(policy, item);
    write_list(item);
    break;
  case POL_TYPE_PATH:
    if (((const char *)pol_member(policy, info))[0] != '\0') {
      add_text(item, pol_member(policy, info));
    }
    write_single(item);
    break;
  case POL_TYPE_UUIDS:
  case POL_TYPE_PROJECTS:
  case POL_TYPE_HOSTS:
    fill_list(policy, item);
    write_list(item);
    break;
  case POL_TYPE_FREEZE:
    fill_freeze(policy, item);
    write_list(item);
    break;
  }
  if (policy->line[param] > 0) {
    (void)snprintf(item->origin, sizeof item->origin, "%s:%lld", policy->name,
                   (long long)policy->line[param]);
  } else {
    (void)snprintf(item->origin, sizeof item->origin, "default");
  }
  return 0;
}

int pol_each(const struct pol_policy *policy, int (*each)(const struct pol_item *item, void *ctx),
             void *ctx) {
  for (int i = 1; i < (int)POL_PARAM_END; i++) {
    struct pol_item item;
    int result = pol_item(policy, (enum pol_param)i, &item) == 0 ? each(&item, ctx) : 0;
    if (result != 0) {
      return result;
    }
  }
  return 0;
}

struct warnings {
  size_t count;
  char (*out)[POL_WARNING_BYTES];
};

static void warn(struct warnings *w, int when, const struct pol_policy *p, const char *text) {
  if (when && w->count < POL_WARNINGS_MAX) {
    (void)snprintf(w->out[w->count++], POL_WARNING_BYTES, "policy %s: %s", p->name, text);
  }
}

size_t pol_warnings(const struct pol_policy *policy,
                    char out[POL_WARNINGS_MAX][POL_WARNING_BYTES]) {
  struct warnings w = {.count = 0, .out = out};
  warn(&w, policy->lab_only == 1, policy,
       "it is for test beds: windows and ages are too short to be safe anywhere else");
  warn(&w, policy->apply_allow == 1 && (policy->attest_required & RCV_ATTEST_COMPUTE_STOPPED) == 0,
       policy,
       "attest.required leaves out compute-stopped: a nova-compute that is down but not dead "
       "comes back and sets the instance to error");
  warn(&w, (policy->attest_accepted & RCV_ATTEST_HOST_FENCED) != 0, policy,
       "attest.accepted has host-fenced: a wrong statement of a person can then corrupt a disk");
  warn(&w, policy->identity_require_metadata == 0, policy,
       "identity.require_metadata is false: a domain without Nova metadata counts as the instance");
  warn(&w, policy->observe_monitor_check == 0, policy,
       "observe.monitor_check is false: a guest whose QEMU hangs can be taken for a healthy one");
  warn(&w, policy->approval_not_self == 0, policy,
       "approval.not_self is false: whoever proposes can approve");
  return w.count;
}
