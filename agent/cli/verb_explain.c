/* explain: what a code means, what to do, what never to do; and the break-glass page. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/break_glass.h"
#include "agent/cli/context.h"
#include "agent/cli/render.h"
#include "agent/cli/verbs.h"
#include "agent/records/verdict.h"
#include "recovery/explain.h"

#define WORD_BYTES 64

static int break_glass(const struct cli_options *options) {
  if (options->json) {
    return context_print_json(
        json_pack("{s:s, s:s}", "name", "break-glass", "text", break_glass_page()));
  }
  (void)fputs(break_glass_page(), stdout);
  return UW_EXIT_OK;
}

static int as_json(const struct rcv_code_info *info, const struct rcv_code_text *text) {
  char code[UW_CODE_BYTES];
  uw_code_text(info->code, code);
  return context_print_json(
      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "code", code, "name", info->name, "verdict",
                rcv_enum_name(&rcv_verdict_kind_enum, (int)info->verdict), "line", info->line,
                "meaning", text->meaning, "action", text->action, "never", text->never));
}

static int as_text(const struct rcv_code_info *info, const struct rcv_code_text *text) {
  struct uw_buf out = {0};
  struct uw_err err;
  uw_err_clear(&err);
  uw_buf_printf(&out, "UW-%03d %s: %s\n\n", (int)info->code, info->name,
                rcv_enum_name(&rcv_verdict_kind_enum, (int)info->verdict));
  render_wrapped("", info->line, &out);
  uw_buf_puts(&out, "\n");
  render_wrapped("", text->meaning, &out);
  uw_buf_puts(&out, "\nwhat to do\n");
  render_wrapped("  ", text->action, &out);
  if (text->never[0] != '\0') {
    uw_buf_puts(&out, "\nnever\n");
    render_wrapped("  ", text->never, &out);
  }
  bool stuck = info->verdict == RCV_VERDICT_REFUSE || info->verdict == RCV_VERDICT_UNKNOWN;
  if (stuck && strstr(text->action, "break-glass") == NULL) {
    uw_buf_puts(&out, "\nBy hand: unwedge explain break-glass\n");
  }
  if (out.failed) {
    (void)uw_err_set(&err, UW_EXIT_USAGE, "the output does not fit in memory");
  }
  int status = out.failed ? context_fail(&err) : UW_EXIT_OK;
  if (status == UW_EXIT_OK) {
    (void)fwrite(uw_buf_text(&out), 1, out.len, stdout);
  }
  uw_buf_free(&out);
  return status;
}

/* Codes are typed from memory: uw-202 and owner_moved are as good as what is printed. */
static enum rcv_code code_of(const char *what) {
  char word[WORD_BYTES];
  size_t n = strlen(what);
  if (n >= sizeof word) {
    return RCV_CODE_UNSET;
  }
  for (size_t i = 0; i <= n; i++) {
    word[i] = (char)toupper((unsigned char)what[i]);
  }
  return uw_code_parse(word);
}

int verb_explain(const struct cli_options *options) {
  const char *what = options->operand[0];
  if (strcmp(what, "break-glass") == 0) {
    return break_glass(options);
  }
  enum rcv_code code = code_of(what);
  const struct rcv_code_info *info = rcv_code_find((int64_t)code);
  const struct rcv_code_text *text = rcv_code_text(code);
  if (info == NULL || text == NULL) {
    (void)fprintf(stderr,
                  "unwedge: explain %s: no such code; give one as UW-202, 202 or OWNER_MOVED, or "
                  "break-glass\n",
                  what);
    return UW_EXIT_USAGE;
  }
  return options->json ? as_json(info, text) : as_text(info, text);
}
