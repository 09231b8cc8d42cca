#include "agent/probe/xml.h"

#include <stdint.h>
#include <string.h>

#define MAX_DEPTH 64      /* libvirt's own documents stay below 20 */
#define MAX_ATTRIBUTES 64 /* of one element */
#define MAX_NAMESPACES 64 /* declarations in scope */
#define PATH_BYTES 1024   /* canonical path of the current element */

#define NOVA_1_0 "http://openstack.org/xmlns/libvirt/nova/1.0"
#define NOVA_1_1 "http://openstack.org/xmlns/libvirt/nova/1.1"

enum ns_kind { NS_OTHER, NS_NONE, NS_NOVA };

struct slice {
  const char *at;
  size_t len;
};

struct attribute {
  struct slice name;
  struct slice value; /* raw */
};

struct declaration {
  struct slice prefix; /* len 0: the default namespace */
  enum ns_kind kind;
  int depth;
};

struct frame {
  struct slice name;    /* as written, to match the end tag */
  size_t path_len;      /* of the parent's path */
  const char *start;    /* its "<" */
  unsigned long wanted; /* bit i: want[i] matches this element */
};

struct reader {
  const char *at, *end;
  const char *why;
  const struct xml_want *want;
  struct xml_found *found;
  size_t wants;
  int depth;
  bool had_root;
  size_t declarations, attributes;
  size_t path_len;
  /* The one text that is being collected: the wanted element cannot have children. */
  int text_depth; /* 0: none */
  size_t text_len;
  char text[XML_TEXT_BYTES];
  char path[PATH_BYTES];
  struct frame frame[MAX_DEPTH];
  struct declaration declaration[MAX_NAMESPACES];
  struct attribute attribute[MAX_ATTRIBUTES];
};

static int malformed(struct reader *r, const char *why) {
  r->why = why;
  return -1;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Bytes above ASCII are taken as name characters: nothing wanted contains one. */
static bool is_name_char(char c) {
  unsigned char u = (unsigned char)c;
  return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') || u == '_' ||
         u == '-' || u == '.' || u == ':' || u >= 0x80;
}

static bool slice_is(struct slice s, const char *text) {
  return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

static bool slice_equal(struct slice a, struct slice b) {
  return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool looking_at(const struct reader *r, const char *text) {
  size_t n = strlen(text);
  return (size_t)(r->end - r->at) >= n && memcmp(r->at, text, n) == 0;
}

static void skip_space(struct reader *r) {
  while (r->at < r->end && is_space(*r->at)) {
    r->at++;
  }
}

/* Moves behind the next occurrence of mark. */
static int skip_past(struct reader *r, const char *mark, const char *why) {
  size_t n = strlen(mark);
  const char *hit = memmem(r->at, (size_t)(r->end - r->at), mark, n);
  if (hit == NULL) {
    return malformed(r, why);
  }
  r->at = hit + n;
  return 0;
}

static int read_name(struct reader *r, struct slice *name) {
  name->at = r->at;
  while (r->at < r->end && is_name_char(*r->at)) {
    r->at++;
  }
  name->len = (size_t)(r->at - name->at);
  if (name->len == 0 || *name->at == ':' || *name->at == '-' || *name->at == '.' ||
      (*name->at >= '0' && *name->at <= '9')) {
    return malformed(r, "a name is missing or malformed");
  }
  return 0;
}

/* "p:name" into prefix and local; at most one colon. */
static int split_name(struct reader *r, struct slice name, struct slice *prefix,
                      struct slice *local) {
  const char *colon = memchr(name.at, ':', name.len);
  prefix->at = name.at;
  prefix->len = 0;
  *local = name;
  if (colon == NULL) {
    return 0;
  }
  prefix->len = (size_t)(colon - name.at);
  local->at = colon + 1;
  local->len = name.len - prefix->len - 1;
  if (local->len == 0 || memchr(local->at, ':', local->len) != NULL) {
    return malformed(r, "a name has a misplaced colon");
  }
  return 0;
}

static size_t put_utf8(uint32_t c, char out[4]) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xC0 | (c >> 6));
    out[1] = (char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xE0 | (c >> 12));
    out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | (c >> 18));
  out[1] = (char)(0x80 | ((c >> 12) & 0x3F));
  out[2] = (char)(0x80 | ((c >> 6) & 0x3F));
  out[3] = (char)(0x80 | (c & 0x3F));
  return 4;
}

static int digit_of(char c, int base) {
  int value = -1;
  if (c >= '0' && c <= '9') {
    value = c - '0';
  } else if (c >= 'a' && c <= 'f') {
    value = c - 'a' + 10;
  } else if (c >= 'A' && c <= 'F') {
    value = c - 'A' + 10;
  }
  return value < base ? value : -1;
}

/* Body of "&#...;" without "&#" and ";". 0 when it is no character XML allows. */
static uint32_t number_reference(const char *s, size_t n) {
  int base = 10;
  uint32_t value = 0;
  if (n > 0 && *s == 'x') {
    base = 16;
    s++;
    n--;
  }
  if (n == 0 || n > 8) {
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    int digit = digit_of(s[i], base);
    if (digit < 0 || value > 0x10FFFF) {
      return 0;
    }
    value = value * (uint32_t)base + (uint32_t)digit;
  }
  bool control = value < 0x20 && value != '\t' && value != '\n' && value != '\r';
  bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return control || surrogate || value > 0x10FFFF ? 0 : value;
}

static uint32_t named_reference(struct slice body) {
  static const struct {
    const char *name;
    uint32_t c;
  } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (slice_is(body, known[i].name)) {
      return known[i].c;
    }
  }
  return 0;
}

/* The reference at s ("&...;"): its character and length; 0 characters when it is none. */
static uint32_t reference(const char *s, const char *end, size_t *len) {
  size_t room = (size_t)(end - s);
  const char *semicolon = memchr(s, ';', room < 12 ? room : 12);
  if (semicolon == NULL) {
    return 0;
  }
  struct slice body = {s + 1, (size_t)(semicolon - s) - 1};
  *len = body.len + 2;
  if (body.len > 1 && *body.at == '#') {
    return number_reference(body.at + 1, body.len - 1);
  }
  return named_reference(body);
}

/*
 * Decodes s into out (max bytes with NUL, *used so far). out NULL: only checks. verbatim: CDATA,
 * in which "&" means itself.
 */
static int decode(struct reader *r, struct slice s, bool verbatim, char *out, size_t max,
                  size_t *used) {
  const char *end = s.at + s.len;
  for (const char *p = s.at; p < end;) {
    char utf8[4] = {*p, 0, 0, 0};
    size_t bytes = 1;
    size_t step = 1;
    if (*p == '&' && !verbatim) {
      uint32_t c = reference(p, end, &step);
      if (c == 0) {
        return malformed(r, "an entity or character reference is not one of the allowed");
      }
      bytes = put_utf8(c, utf8);
    }
    if (out != NULL) {
      if (bytes >= max - *used) {
        return malformed(r, "a wanted text is too long");
      }
      memcpy(out + *used, utf8, bytes);
      *used += bytes;
      out[*used] = '\0';
    }
    p += step;
  }
  return 0;
}

static int read_attribute(struct reader *r) {
  if (r->attributes == MAX_ATTRIBUTES) {
    return malformed(r, "an element has too many attributes");
  }
  struct attribute *a = &r->attribute[r->attributes];
  if (read_name(r, &a->name) != 0) {
    return -1;
  }
  skip_space(r);
  if (!looking_at(r, "=")) {
    return malformed(r, "an attribute has no value");
  }
  r->at++;
  skip_space(r);
  if (!looking_at(r, "\"") && !looking_at(r, "'")) {
    return malformed(r, "an attribute's value is not quoted");
  }
  char quote = *r->at++;
  a->value.at = r->at;
  const char *close = memchr(r->at, quote, (size_t)(r->end - r->at));
  if (close == NULL) {
    return malformed(r, "an attribute's value does not end");
  }
  a->value.len = (size_t)(close - r->at);
  r->at = close + 1;
  if (memchr(a->value.at, '<', a->value.len) != NULL) {
    return malformed(r, "an attribute's value has a bare '<'");
  }
  for (size_t i = 0; i < r->attributes; i++) {
    if (slice_equal(r->attribute[i].name, a->name)) {
      return malformed(r, "an attribute is given twice");
    }
  }
  r->attributes++;
  return decode(r, a->value, false, NULL, 0, NULL);
}

/* Reads attributes up to ">" or "/>"; *empty tells which. */
static int read_attributes(struct reader *r, bool *empty) {
  r->attributes = 0;
  for (;;) {
    const char *before = r->at;
    skip_space(r);
    if (looking_at(r, "/>")) {
      r->at += 2;
      *empty = true;
      return 0;
    }
    if (looking_at(r, ">")) {
      r->at++;
      *empty = false;
      return 0;
    }
    if (r->at == before) {
      return malformed(r, "a tag is malformed");
    }
    if (read_attribute(r) != 0) {
      return -1;
    }
  }
}

static int declare(struct reader *r, struct slice prefix, struct slice value) {
  char uri[sizeof NOVA_1_0 + 4];
  size_t used = 0;
  struct declaration *d = &r->declaration[r->declarations];
  if (r->declarations == MAX_NAMESPACES) {
    return malformed(r, "too many namespaces");
  }
  uri[0] = '\0';
  d->prefix = prefix;
  d->depth = r->depth;
  d->kind = value.len == 0 ? NS_NONE : NS_OTHER;
  /* A URI that does not fit is none of Nova's; its references were checked with the attribute. */
  if (decode(r, value, false, uri, sizeof uri, &used) == 0) {
    if (strcmp(uri, NOVA_1_0) == 0 || strcmp(uri, NOVA_1_1) == 0) {
      d->kind = NS_NOVA;
    }
  }
  r->why = NULL;
  r->declarations++;
  return 0;
}

static int read_declarations(struct reader *r) {
  for (size_t i = 0; i < r->attributes; i++) {
    struct slice prefix;
    struct slice local;
    if (split_name(r, r->attribute[i].name, &prefix, &local) != 0) {
      return -1;
    }
    if (prefix.len == 0 && slice_is(local, "xmlns")) {
      local.len = 0;
    } else if (!slice_is(prefix, "xmlns")) {
      continue;
    }
    if (declare(r, local, r->attribute[i].value) != 0) {
      return -1;
    }
  }
  return 0;
}

static int resolve(struct reader *r, struct slice prefix, enum ns_kind *kind) {
  for (size_t i = r->declarations; i > 0; i--) {
    if (slice_equal(r->declaration[i - 1].prefix, prefix)) {
      *kind = r->declaration[i - 1].kind;
      return 0;
    }
  }
  *kind = prefix.len == 0 ? NS_NONE : NS_OTHER;
  return prefix.len == 0 || slice_is(prefix, "xml")
             ? 0
             : malformed(r, "a namespace prefix is not declared");
}

static int push_path(struct reader *r, enum ns_kind kind, struct slice local) {
  const char *mark = kind == NS_NOVA ? "nova:" : kind == NS_NONE ? "" : "?:";
  size_t need = (r->depth > 1 ? 1U : 0U) + strlen(mark) + local.len;
  if (r->path_len + need >= sizeof r->path) {
    return malformed(r, "elements are nested too deep");
  }
  if (r->depth > 1) {
    r->path[r->path_len++] = '/';
  }
  memcpy(r->path + r->path_len, mark, strlen(mark));
  r->path_len += strlen(mark);
  memcpy(r->path + r->path_len, local.at, local.len);
  r->path_len += local.len;
  r->path[r->path_len] = '\0';
  return 0;
}

static void note(struct xml_found *f, const char *text) {
  if (f->count == 0) {
    memcpy(f->text, text, strlen(text) + 1);
  } else if (strcmp(f->text, text) != 0) {
    f->differ = true;
  }
  f->count++;
}

static int note_attribute(struct reader *r, const char *name, struct xml_found *f) {
  for (size_t i = 0; i < r->attributes; i++) {
    if (slice_is(r->attribute[i].name, name)) {
      char text[XML_TEXT_BYTES] = "";
      size_t used = 0;
      if (decode(r, r->attribute[i].value, false, text, sizeof text, &used) != 0) {
        return -1;
      }
      note(f, text);
    }
  }
  return 0;
}

/* What the element that was just opened is wanted for. */
static int match(struct reader *r, struct frame *f) {
  for (size_t i = 0; i < r->wants; i++) {
    if (strcmp(r->want[i].path, r->path) != 0) {
      continue;
    }
    switch (r->want[i].what) {
    case XML_COUNT: r->found[i].count++; break;
    case XML_TEXT:
      r->text_depth = r->depth;
      r->text_len = 0;
      r->text[0] = '\0';
      f->wanted |= 1UL << i;
      break;
    case XML_SLICE: f->wanted |= 1UL << i; break;
    case XML_ATTRIBUTE:
      if (note_attribute(r, r->want[i].attribute, &r->found[i]) != 0) {
        return -1;
      }
      break;
    }
  }
  return 0;
}

static void close_element(struct reader *r) {
  struct frame *f = &r->frame[r->depth - 1];
  for (size_t i = 0; i < r->wants; i++) {
    if ((f->wanted & (1UL << i)) == 0) {
      continue;
    }
    if (r->want[i].what == XML_TEXT) {
      note(&r->found[i], r->text);
    } else if (r->found[i].count++ == 0) {
      r->found[i].slice = f->start;
      r->found[i].slice_len = (size_t)(r->at - f->start);
    }
  }
  if (r->text_depth == r->depth) {
    r->text_depth = 0;
  }
  while (r->declarations > 0 && r->declaration[r->declarations - 1].depth == r->depth) {
    r->declarations--;
  }
  r->path_len = f->path_len;
  r->path[r->path_len] = '\0';
  r->depth--;
}

static int open_element(struct reader *r) {
  if (r->depth == 0 && r->had_root) {
    return malformed(r, "there is more than one root element");
  }
  if (r->depth == MAX_DEPTH) {
    return malformed(r, "elements are nested too deep");
  }
  if (r->text_depth != 0) {
    return malformed(r, "a wanted text has an element in it");
  }
  struct frame *f = &r->frame[r->depth++];
  struct slice prefix;
  struct slice local;
  enum ns_kind kind = NS_OTHER;
  bool empty = false;
  memset(f, 0, sizeof *f);
  f->start = r->at++;
  f->path_len = r->path_len;
  r->had_root = true;
  if (read_name(r, &f->name) != 0 || read_attributes(r, &empty) != 0 || read_declarations(r) != 0 ||
      split_name(r, f->name, &prefix, &local) != 0 || resolve(r, prefix, &kind) != 0 ||
      push_path(r, kind, local) != 0 || match(r, f) != 0) {
    return -1;
  }
  if (empty) {
    close_element(r);
  }
  return 0;
}

static int end_element(struct reader *r) {
  struct slice name;
  r->at += 2;
  if (read_name(r, &name) != 0) {
    return -1;
  }
  skip_space(r);
  if (!looking_at(r, ">") || r->depth == 0 || !slice_equal(name, r->frame[r->depth - 1].name)) {
    return malformed(r, "an end tag does not fit");
  }
  r->at++;
  close_element(r);
  return 0;
}

/* Text outside the root must be white space; inside it is checked, and collected if wanted. */
static int take_text(struct reader *r, struct slice s, bool verbatim) {
  if (r->depth == 0) {
    for (size_t i = 0; i < s.len; i++) {
      if (verbatim || !is_space(s.at[i])) {
        return malformed(r, "there is text outside the root element");
      }
    }
    return 0;
  }
  bool wanted = r->text_depth == r->depth;
  return decode(r, s, verbatim, wanted ? r->text : NULL, sizeof r->text, &r->text_len);
}

static int take_cdata(struct reader *r) {
  r->at += strlen("<![CDATA[");
  struct slice s = {r->at, 0};
  if (skip_past(r, "]]>", "a CDATA section does not end") != 0) {
    return -1;
  }
  s.len = (size_t)(r->at - s.at) - 3;
  return take_text(r, s, true);
}

static int take_characters(struct reader *r) {
  const char *next = memchr(r->at, '<', (size_t)(r->end - r->at));
  struct slice s = {r->at, (size_t)((next != NULL ? next : r->end) - r->at)};
  r->at += s.len;
  return take_text(r, s, false);
}

static int take_markup(struct reader *r) {
  if (looking_at(r, "<!--")) {
    r->at += 4;
    return skip_past(r, "-->", "a comment does not end");
  }
  if (looking_at(r, "<![CDATA[")) {
    return take_cdata(r);
  }
  if (looking_at(r, "<!")) {
    return malformed(r, "it has a document type, which is not accepted");
  }
  if (looking_at(r, "<?")) {
    return skip_past(r, "?>", "a processing instruction does not end");
  }
  return looking_at(r, "</") ? end_element(r) : open_element(r);
}

static int read_all(struct reader *r) {
  for (const char *p = r->at; p < r->end; p++) {
    if ((unsigned char)*p < 0x20 && !is_space(*p)) {
      return malformed(r, "it has a control character");
    }
  }
  while (r->at < r->end) {
    if ((*r->at == '<' ? take_markup(r) : take_characters(r)) != 0) {
      return -1;
    }
  }
  if (r->depth != 0 || !r->had_root) {
    return malformed(r, "it ends in the middle");
  }
  return 0;
}

int xml_read(const char *bytes, size_t n, const struct xml_want *want, struct xml_found *found,
             size_t wants, const char **why) {
  struct reader r;
  memset(&r, 0, sizeof r);
  memset(found, 0, wants * sizeof *found);
  r.at = bytes;
  r.end = bytes + n;
  r.want = want;
  r.found = found;
  r.wants = wants;
  int result = -1;
  if (n > XML_MAX_BYTES || wants > 8 * sizeof(unsigned long)) {
    (void)malformed(&r, "it is too large");
  } else {
    result = read_all(&r);
  }
  if (result != 0) {
    memset(found, 0, wants * sizeof *found);
  }
  *why = r.why;
  return result;
}
