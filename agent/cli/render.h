/*
 * A verdict as text for people. Made from the verdict document alone, so that text and JSON
 * cannot say different things and a replay prints what the run printed.
 */
#ifndef UW_RENDER_H
#define UW_RENDER_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/base/buf.h"

struct render_options {
  bool color;
  const char *saved; /* where the evidence lies, "" when it was not saved */
};

/*
 * In the order of contract section 3: verdict and instance; is the guest up, and where; the hosts
 * side by side; why; what to do now; what never to do; residue; a block for the ticket; where to
 * read on. Missing members of the document are shown as "-". Every text goes through
 * render_clean. No memory for that marks out as failed.
 */
void render_verdict(const json_t *document, const struct render_options *options,
                    struct uw_buf *out);

/*
 * Text for a terminal: control characters (C0, DEL, C1) and those that turn the direction of
 * writing are shown as '?'. Names come from a cloud, and evidence from a file.
 */
void render_clean(const char *text, struct uw_buf *out);

/* A line after `first`, wrapped at spaces to 96 columns; what follows is indented like its begin. A
 * word that is longer (a URI, a command) is never broken. */
void render_wrapped(const char *first, const char *line, struct uw_buf *out);

/* Only the residue of a verdict, with its heading: what is left to do after a reset. */
void render_residue(const json_t *document, struct uw_buf *out);

/* Colour is used on a terminal, unless --no-color or NO_COLOR (set and not empty). */
bool render_use_color(int fd, bool no_color);

#endif
