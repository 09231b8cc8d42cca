/*
 * The one write of the product. No other file names the action, and nothing but a spent
 * permit reaches it.
 */
#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/openstack/exchange.h"
#include "agent/openstack/nova.h"
#include "agent/openstack/session.h"

static const char body[] = "{\"os-resetState\": {\"state\": \"active\"}}";

static void refuse(struct nova_reset_result *out, const char *why) {
  out->outcome = NOVA_NOT_APPLIED;
  (void)snprintf(out->text, sizeof out->text, "nothing was sent: %s", why);
}

/* Contract S5, by what came back and how far the request got. */
static void judge(const struct nova *nova, const struct http_request *request,
                  const struct http_reply *reply, struct nova_reset_result *out) {
  struct uw_err words;
  const char *id = ex_request_id(reply);
  uw_err_clear(&words);
  out->http = reply->status;
  if (strlen(id) < sizeof out->request_id) {
    (void)snprintf(out->request_id, sizeof out->request_id, "%.64s", id);
  }
  if (reply->phase == HTTP_REPLIED && reply->status == 202) {
    out->outcome = NOVA_DONE;
    (void)snprintf(out->text, sizeof out->text, "Nova accepted the reset (202)%s%s",
                   id[0] != '\0' ? ": request " : "", out->request_id);
    return;
  }
  (void)ex_error(request, reply, &words);
  if (reply->phase == HTTP_REPLIED && reply->status == 401) {
    nova_explain_401(nova, &words);
  }
  if (reply->phase == HTTP_NOT_SENT) {
    out->outcome = NOVA_NOT_APPLIED;
    (void)snprintf(out->text, sizeof out->text, "nothing was sent: %.900s", words.text);
  } else if (reply->phase == HTTP_REPLIED && reply->status >= 400 && reply->status < 500) {
    out->outcome = NOVA_NOT_APPLIED;
    (void)snprintf(out->text, sizeof out->text, "Nova refused the reset: %.900s", words.text);
  } else {
    out->outcome = NOVA_OUTCOME_UNKNOWN;
    (void)snprintf(out->text, sizeof out->text,
                   "it is not known whether the reset was carried out (look, do not send it "
                   "again): %.850s",
                   words.text);
  }
}

static void send_once(struct nova *nova, const char *uuid, struct nova_reset_result *out) {
  char url[HTTP_URL_BYTES];
  struct http_reply reply;
  (void)snprintf(url, sizeof url, "%s/servers/%s/action", nova->endpoint, uuid);
  struct http_request request = {.method = HTTP_POST,
                                 .url = url,
                                 .header = {"Content-Type: application/json"},
                                 .body = body,
                                 .body_len = sizeof body - 1,
                                 .once = true};
  nova_set_headers(nova, KS_COMPUTE, &request, 1);
  http_perform(nova->http, &request, &reply, 1);
  nova_wipe_headers(nova);
  judge(nova, &request, &reply, out);
  http_reply_free(&reply);
}

void nova_reset(struct nova *nova, struct rcv_permit *permit, struct nova_reset_result *out) {
  memset(out, 0, sizeof *out);
  if (permit->minted != 1 || permit->spent != 1) {
    permit->minted = 0;
    refuse(out, "the permit is not a minted one that was spent for this act");
    return;
  }
  permit->minted = 0; /* before anything can be sent: a second call finds no permit */
  if (nova->token.text == NULL || nova->token.expires_mono_ms <= uw_mono_ms()) {
    refuse(out, "the token has expired");
    return;
  }
  char uuid[UW_UUID_TEXT_BYTES];
  uw_uuid_text(permit->binding.instance, uuid);
  send_once(nova, uuid, out);
}
