#include "agent/journal/resolve.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/json.h"

static bool same(const char *a, const char *b) {
  return a != NULL && b != NULL && *a != '\0' && strcmp(a, b) == 0;
}

/* An action without a request id can not be recognised, so it counts as new. */
static bool was_there(const json_t *requests, const char *request_id) {
  for (size_t i = 0; i < json_array_size(requests); i++) {
    if (same(request_id, json_string_value(json_array_get(requests, i)))) {
      return true;
    }
  }
  return false;
}

struct tally {
  int64_t ours, others; /* new resetState actions */
  int64_t index;        /* of the last of ours, -1 none */
};

static struct tally count(const struct journal_resolve *in, const json_t *requests,
                          const char *user) {
  struct tally t = {.index = -1};
  for (size_t i = 0; i < in->actions; i++) {
    const struct journal_action *a = &in->action[i];
    if (!same(a->action, RESOLVE_ACTION) || was_there(requests, a->request_id)) {
      continue;
    }
    if (same(a->user, user)) {
      t.ours++;
      t.index = (int64_t)i;
    } else {
      t.others++;
    }
  }
  return t;
}

static enum journal_resolution tell(char text[UW_ERR_TEXT_BYTES], enum journal_resolution r,
                                    const char *why) {
  (void)snprintf(text, UW_ERR_TEXT_BYTES, "%s", why);
  return r;
}

enum journal_resolution journal_resolve(const struct journal_resolve *in, int64_t *found,
                                        char text[UW_ERR_TEXT_BYTES]) {
  const json_t *requests = json_object_get(in->intent, "requests");
  const char *user = uw_json_str(in->intent, "user_id", "");
  *found = -1;
  if (!json_is_array(requests) || *user == '\0') {
    return tell(text, RESOLUTION_CANNOT_TELL,
                "the intent does not say which actions were there before it, or whose it was");
  }
  struct tally t = count(in, requests, user);
  if (t.others > 0) {
    return tell(text, RESOLUTION_CANNOT_TELL,
                "somebody else reset the instance since the intent; Nova does not show which of "
                "the requests came first");
  }
  if (t.ours > 1) {
    return tell(text, RESOLUTION_CANNOT_TELL,
                "more than one reset of our user is new since the intent");
  }
  if (t.ours == 1 && in->server_unchanged) {
    return tell(text, RESOLUTION_CANNOT_TELL,
                "our reset is listed, yet the server is as it was before the intent: Nova writes "
                "the action first, and broke off before the instance, or is still at it");
  }
  if (t.ours == 1) {
    *found = t.index;
    return tell(text, RESOLUTION_APPLIED,
                "exactly one reset is new since the intent, and it is our user's");
  }
  if (!in->actions_complete) {
    return tell(text, RESOLUTION_CANNOT_TELL, "Nova's list of actions could not be read whole");
  }
  if (!in->server_unchanged) {
    return tell(text, RESOLUTION_CANNOT_TELL,
                "no reset is listed, but the server changed since the intent");
  }
  if (!in->deadline_passed) {
    return tell(text, RESOLUTION_CANNOT_TELL,
                "no reset is listed yet, but the request could still be under way; look again "
                "later");
  }
  return tell(text, RESOLUTION_NOT_APPLIED,
              "no reset is new since the intent, the server is unchanged, and no request can "
              "still be under way");
}

const char *journal_resolution_name(enum journal_resolution resolution) {
  switch (resolution) {
  case RESOLUTION_APPLIED: return "applied";
  case RESOLUTION_NOT_APPLIED: return "not_applied";
  case RESOLUTION_CANNOT_TELL: break;
  }
  return "cannot_tell";
}
