/*
 * One YAML (or JSON, which is YAML) file of openstacksdk: read, bounded, and looked up in.
 *
 * Read as PyYAML's safe loader does: unknown keys are nobody's business, the last of two equal
 * keys wins, "<<" merges, aliases refer. Aliases and merges are followed, never copied, and a
 * lookup has a step limit, so that no file can make the program large or slow.
 */
#ifndef UW_YAMLFILE_H
#define UW_YAMLFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "agent/base/err.h"

#define YF_MAX_BYTES ((size_t)1024 * 1024) /* of one file */
#define YF_MAX_NESTING 100                 /* levels of one file */
#define YF_MAX_MERGES 16                   /* merges one below the other */
#define YF_MAX_STEPS 200000                /* keys looked at by one lookup */
#define YF_PATH_BYTES 1024

struct yf_file {
  char path[YF_PATH_BYTES];
  bool loaded;         /* document is to be deleted */
  bool world_readable; /* others may read it */
  yaml_document_t document;
};

/*
 * Loads path. Errors (status UW_EXIT_USAGE) name file, line and reason; file then needs no
 * freeing. An empty file is a document without a root.
 */
int yf_load(const char *path, struct yf_file *file, struct uw_err *err) UW_MUST_USE;
void yf_free(struct yf_file *file); /* a zeroed one is fine */

yaml_node_t *yf_root(struct yf_file *file); /* NULL when empty */

/* Value of a key of a mapping, merges included; NULL when absent, null, or map is no mapping. */
yaml_node_t *yf_find(struct yf_file *file, yaml_node_t *map, const char *key);

/* The text of a scalar, borrowed; NULL when node is NULL, no scalar, or holds a NUL byte. */
const char *yf_text(const yaml_node_t *node);

size_t yf_line(const yaml_node_t *node); /* from 1 */

/* The n-th own key of a mapping (merges left out), NULL behind the last or when no scalar. */
const char *yf_key(struct yf_file *file, yaml_node_t *map, size_t n);
/* The n-th item of a sequence, NULL behind the last. */
yaml_node_t *yf_item(struct yf_file *file, yaml_node_t *list, size_t n);

#endif
