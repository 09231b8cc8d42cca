/*
 * Our own YAML files, read strictly: a bounded tree of maps, lists and scalars in which every
 * node knows its line. Used for policies and for unwedge.yaml, never for clouds.yaml.
 *
 * Refused: anchors, aliases, tags, directives, merge keys, a second document, duplicate keys,
 * tabs, NUL, invalid UTF-8, control and invisible characters, anything over a bound. There is
 * no I/O here: bytes come in, a name is given for the messages.
 *
 * Every message has one form: "FILE:LINE: key 'a.b': what; what to do".
 */
#ifndef POL_YAML_H
#define POL_YAML_H

#include <stddef.h>
#include <stdint.h>

#define POL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define POL_MUST_USE __attribute__((warn_unused_result))

#define POL_YAML_FILE_BYTES ((size_t)256 * 1024) /* a larger file is refused */
#define POL_YAML_DEPTH 8                         /* containers inside each other, the root is 1 */
#define POL_YAML_NODES 16384                     /* maps, lists and scalars of one file */
#define POL_YAML_MEMBERS 4096                    /* members of one map or list */
#define POL_YAML_KEY_BYTES 256                   /* one key, with its NUL */
#define POL_YAML_TEXT_BYTES 1024                 /* one scalar, with its NUL */
#define POL_YAML_PATH_BYTES 512                  /* a dotted key in a message, with its NUL */
#define POL_ERROR_BYTES 1024

/* One line, set by whatever failed; "" before. */
struct pol_error {
  char text[POL_ERROR_BYTES];
};

/* Sets error (may be NULL) and returns -1. */
int pol_fail(struct pol_error *error, const char *format, ...) POL_PRINTF(2, 3);

enum pol_yaml_kind { POL_YAML_NONE = 0, POL_YAML_MAP, POL_YAML_LIST, POL_YAML_SCALAR };

/* Owned by the document; read-only for everybody else. */
struct pol_yaml_node {
  enum pol_yaml_kind kind;
  int64_t line;     /* 1 is the first; for a member of a map the line of its key */
  int64_t position; /* index among its siblings, from 0 */
  int64_t children;
  char *key;                                          /* NULL unless a member of a map */
  char *text;                                         /* NULL unless a scalar */
  int plain;                                          /* 1: a scalar without quotes */
  struct pol_yaml_node *parent, *first, *last, *next; /* next: the next sibling */
  struct pol_yaml_node *allocated;                    /* the document's list of all nodes */
};

struct pol_yaml {
  const char *name; /* borrowed from the caller of pol_yaml_parse */
  struct pol_yaml_node *root;
  struct pol_yaml_node *nodes;
  int64_t count;
};

/*
 * Parses n bytes into *ret (free with pol_yaml_free); name must outlive it. The root is a map
 * with at least one member. -1: error set, *ret NULL.
 */
int pol_yaml_parse(const char *bytes, size_t n, const char *name, struct pol_yaml **ret,
                   struct pol_error *error) POL_MUST_USE;
void pol_yaml_free(struct pol_yaml *yaml); /* NULL is fine */

/* The member of a map, NULL when there is none (or node is no map). */
const struct pol_yaml_node *pol_yaml_member(const struct pol_yaml_node *map, const char *key);

/* "a.b[2].c" of a node, elements of lists counted from 1; cut at the end when it is longer. */
void pol_yaml_path(const struct pol_yaml_node *node, char out[POL_YAML_PATH_BYTES]);

/* "FILE:LINE: key 'a.b': ..." for this node; returns -1. */
int pol_yaml_fail(const struct pol_yaml *yaml, const struct pol_yaml_node *node,
                  struct pol_error *error, const char *format, ...) POL_PRINTF(4, 5);

/*
 * Typed reading. Each returns 0, or -1 with error set and the result untouched.
 *
 * Integer: plain decimal, no sign but '-', no leading zero, min <= value <= max. unit ("s", "ms",
 * "rounds"; "" for none) is for the message.
 */
int pol_yaml_int(const struct pol_yaml *yaml, const struct pol_yaml_node *node, int64_t min,
                 int64_t max, const char *unit, int64_t *out, struct pol_error *error) POL_MUST_USE;
/* Exactly true or false, without quotes; *out is 1 or 0. */
int pol_yaml_bool(const struct pol_yaml *yaml, const struct pol_yaml_node *node, int64_t *out,
                  struct pol_error *error) POL_MUST_USE;
/* A non-empty scalar that fits n bytes with its NUL. */
int pol_yaml_text(const struct pol_yaml *yaml, const struct pol_yaml_node *node, char *out,
                  size_t n, struct pol_error *error) POL_MUST_USE;
/* Checks that node is of that kind; a list and a map must have between 1 and max members. */
int pol_yaml_expect(const struct pol_yaml *yaml, const struct pol_yaml_node *node,
                    enum pol_yaml_kind kind, int64_t max, struct pol_error *error) POL_MUST_USE;
/* Refuses a member of the map that is not among the n known keys; the message lists them. */
int pol_yaml_only_keys(const struct pol_yaml *yaml, const struct pol_yaml_node *map,
                       const char *const *known, size_t n, struct pol_error *error) POL_MUST_USE;

#endif
