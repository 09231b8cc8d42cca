/*
 * A small, bounded reader for the XML that libvirt writes: looks up a handful of paths.
 *
 * It accepts well-formed XML with namespaces and nothing more: no DTD, no entities but the five
 * predefined ones and character references, no undeclared prefixes. Whatever it does not
 * understand is an error, never a missing element: an element counts only where the real
 * structure has it, so text in <description>, comments or CDATA cannot pretend to be one.
 */
#ifndef UW_PROBE_XML_H
#define UW_PROBE_XML_H

#include <stdbool.h>
#include <stddef.h>

#define XML_TEXT_BYTES 512              /* text of one wanted element or attribute, with NUL */
#define XML_MAX_BYTES ((size_t)4 << 20) /* libvirt's own limit for one string */

enum xml_what {
  XML_COUNT,     /* how many there are */
  XML_TEXT,      /* its text; child elements in it are an error */
  XML_ATTRIBUTE, /* one of its attributes (without prefix) */
  XML_SLICE      /* the element as it stands, from "<" to ">" */
};

/*
 * path: local names from the root, joined by '/'. An element in one of Nova's metadata
 * namespaces (1.0, 1.1) is written "nova:name", one in no namespace "name"; elements of any
 * other namespace cannot be wanted.
 */
struct xml_want {
  enum xml_what what;
  const char *path;
  const char *attribute; /* XML_ATTRIBUTE only */
};

struct xml_found {
  size_t count;              /* matches; for an attribute: elements that have it */
  bool differ;               /* a later match has another text than the first */
  char text[XML_TEXT_BYTES]; /* of the first match, decoded */
  const char *slice;         /* of the first match, inside the bytes read; NULL if none */
  size_t slice_len;
};

/*
 * Reads all n bytes. 0, and found[i] filled for want[i]; -1 when the text is not well formed,
 * too large, or a wanted text does not fit: *why says what (static), found is all empty.
 */
int xml_read(const char *bytes, size_t n, const struct xml_want *want, struct xml_found *found,
             size_t wants, const char **why);

#endif
