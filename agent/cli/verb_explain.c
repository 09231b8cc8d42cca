#include <stdio.h>
#include <string.h>

#include "agent/cli/break_glass.h"
#include "agent/cli/verbs.h"
#include "agent/records/verdict.h"
#include "recovery/explain.h"

static int as_json(const struct rcv_code_info *info, const struct rcv_code_text *text) {
  char code[UW_CODE_BYTES];
  uw_code_text(info->code, code);
  json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "code", code, "name", info->name,
                        "verdict", rcv_enum_name(&rcv_verdict_kind_enum, (int)info->verdict),
                        "line", info->line, "meaning", text->meaning, "action", text->action,
                        "never", text->never);
  struct uw_buf out = {0};
  struct uw_err err;
  uw_err_clear(&err);
  int status = UW_EXIT_USAGE;
  if (o != NULL && uw_json_pretty(o, &out, &err) == 0) {
    (void)fputs(uw_buf_text(&out), stdout);
    status = UW_EXIT_OK;
  } else {
    (void)fprintf(stderr, "unwedge: cannot print %s: %s\n", code, err.text);
  }
  uw_buf_free(&out);
  json_decref(o);
  return status;
}

int verb_explain(const struct cli_options *options) {
  const char *what = options->operand[0];
  if (strcmp(what, "break-glass") == 0) {
    (void)fputs(break_glass_page(), stdout);
    return UW_EXIT_OK;
  }
  enum rcv_code code = uw_code_parse(what);
  const struct rcv_code_info *info = rcv_code_find((int64_t)code);
  const struct rcv_code_text *text = rcv_code_text(code);
  if (info == NULL || text == NULL) {
    (void)fprintf(stderr,
                  "unwedge: explain %s: no such code; give UW-nnn, its number, its name, or "
                  "break-glass\n",
                  what);
    return UW_EXIT_USAGE;
  }
  if (options->json) {
    return as_json(info, text);
  }
  (void)printf("UW-%03d %s: %s\n\n%s\n\n%s\n\nWhat to do: %s\n", (int)code, info->name,
               rcv_enum_name(&rcv_verdict_kind_enum, (int)info->verdict), info->line,
               text->meaning, text->action);
  if (text->never[0] != '\0') {
    (void)printf("\nNever: %s\n", text->never);
  }
  bool stuck = info->verdict == RCV_VERDICT_REFUSE || info->verdict == RCV_VERDICT_UNKNOWN;
  if (stuck && strstr(text->action, "break-glass") == NULL) {
    (void)printf("\nBy hand: unwedge explain break-glass\n");
  }
  return UW_EXIT_OK;
}
