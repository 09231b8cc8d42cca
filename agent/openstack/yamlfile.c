#include "agent/openstack/yamlfile.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/buf.h"
#include "agent/base/files.h"

static int parse_error(const char *path, const yaml_parser_t *parser, struct uw_err *err) {
  return uw_err_set(err, UW_EXIT_USAGE, "%s:%zu: not valid YAML: %s", path,
                    parser->problem_mark.line + 1,
                    parser->problem != NULL ? parser->problem : "out of memory");
}

/*
 * libyaml's scanner is quadratic in the depth of flow collections and has no limit of its
 * own, so the depth is bounded beforehand by counting brackets. Texts may hold brackets too; a
 * file with that many unmatched ones in its texts is refused as well.
 */
static bool nested_too_deep(const char *bytes, size_t n) {
  size_t depth = 0;
  for (size_t i = 0; i < n; i++) {
    if (bytes[i] == '[' || bytes[i] == '{') {
      depth++;
      if (depth > YF_MAX_NESTING) {
        return true;
      }
    } else if ((bytes[i] == ']' || bytes[i] == '}') && depth > 0) {
      depth--;
    }
  }
  return false;
}

static int parse(struct yf_file *file, const struct uw_buf *text, struct uw_err *err) {
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s: no memory to read it", file->path);
  }
  yaml_parser_set_input_string(&parser, (const unsigned char *)uw_buf_text(text), text->len);
  int result = 0;
  if (yaml_parser_load(&parser, &file->document) == 0) {
    result = parse_error(file->path, &parser, err);
  } else {
    yaml_document_t more;
    file->loaded = true;
    if (yaml_parser_load(&parser, &more) == 0) {
      result = parse_error(file->path, &parser, err);
    } else {
      yaml_node_t *second = yaml_document_get_root_node(&more);
      if (second != NULL) {
        result = uw_err_set(err, UW_EXIT_USAGE, "%s:%zu: a second YAML document; one is read",
                            file->path, yf_line(second));
      }
      yaml_document_delete(&more);
    }
  }
  yaml_parser_delete(&parser);
  return result;
}

int yf_load(const char *path, struct yf_file *file, struct uw_err *err) {
  memset(file, 0, sizeof *file);
  int len = snprintf(file->path, sizeof file->path, "%s", path);
  if (len < 0 || (size_t)len >= sizeof file->path) {
    return uw_err_set(err, UW_EXIT_USAGE, "%s: the path is too long", path);
  }
  struct uw_buf text = {.max = YF_MAX_BYTES + 1};
  int result = uw_file_read(path, YF_MAX_BYTES, &text, err);
  if (result == 0 && nested_too_deep(uw_buf_text(&text), text.len)) {
    result =
        uw_err_set(err, UW_EXIT_USAGE, "%s: nested deeper than %d levels", path, YF_MAX_NESTING);
  }
  if (result == 0) {
    result = parse(file, &text, err);
  }
  struct stat info;
  if (result == 0 && stat(path, &info) == 0) {
    file->world_readable = (info.st_mode & S_IROTH) != 0;
  }
  uw_buf_wipe(&text);
  if (result != 0) {
    yf_free(file);
  }
  return result;
}

/* Scalars may be secrets: their bytes are wiped before libyaml frees them. */
void yf_free(struct yf_file *file) {
  if (!file->loaded) {
    return;
  }
  for (yaml_node_t *n = file->document.nodes.start; n != file->document.nodes.top; n++) {
    if (n->type == YAML_SCALAR_NODE && n->data.scalar.value != NULL) {
      explicit_bzero(n->data.scalar.value, n->data.scalar.length);
    }
  }
  yaml_document_delete(&file->document);
  file->loaded = false;
}

yaml_node_t *yf_root(struct yf_file *file) {
  return file->loaded ? yaml_document_get_root_node(&file->document) : NULL;
}

const char *yf_text(const yaml_node_t *node) {
  if (node == NULL || node->type != YAML_SCALAR_NODE) {
    return NULL;
  }
  const char *text = (const char *)node->data.scalar.value;
  return strlen(text) == node->data.scalar.length ? text : NULL;
}

size_t yf_line(const yaml_node_t *node) { return node->start_mark.line + 1; }

static bool is_null(const yaml_node_t *node) {
  const char *text = yf_text(node);
  return text != NULL && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
         (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
          strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0);
}

struct lookup {
  struct yf_file *file;
  const char *key;
  size_t steps;
};

static yaml_node_t *find(struct lookup *l, yaml_node_t *map, int depth);

/* The value of "<<": one mapping, or a list of which the first that has the key wins. */
static yaml_node_t *find_merged(struct lookup *l, yaml_node_t *value, int depth) {
  yaml_node_t *found = NULL;
  if (value != NULL && value->type == YAML_SEQUENCE_NODE) {
    for (size_t i = 0; found == NULL && l->steps < YF_MAX_STEPS; i++) {
      yaml_node_t *item = yf_item(l->file, value, i);
      if (item == NULL) {
        break;
      }
      l->steps++;
      found = find(l, item, depth + 1);
    }
  } else {
    found = find(l, value, depth + 1);
  }
  return found;
}

/* Own keys before merged ones, later ones before earlier ones. */
static yaml_node_t *find(struct lookup *l, yaml_node_t *map, int depth) {
  if (map == NULL || map->type != YAML_MAPPING_NODE || depth > YF_MAX_MERGES) {
    return NULL;
  }
  yaml_document_t *document = &l->file->document;
  for (int merges = 0; merges < 2; merges++) {
    const char *want = merges != 0 ? "<<" : l->key;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.top;
         pair != map->data.mapping.pairs.start && l->steps < YF_MAX_STEPS; l->steps++) {
      pair--;
      yaml_node_t *key = yaml_document_get_node(document, pair->key);
      const char *text = yf_text(key);
      if (text == NULL || strcmp(text, want) != 0) {
        continue;
      }
      yaml_node_t *value = yaml_document_get_node(document, pair->value);
      if (merges == 0) {
        return value;
      }
      yaml_node_t *found =
          key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? find_merged(l, value, depth) : NULL;
      if (found != NULL) {
        return found;
      }
    }
  }
  return NULL;
}

yaml_node_t *yf_find(struct yf_file *file, yaml_node_t *map, const char *key) {
  struct lookup l = {.file = file, .key = key};
  yaml_node_t *found = find(&l, map, 0);
  return found == NULL || is_null(found) ? NULL : found;
}

const char *yf_key(struct yf_file *file, yaml_node_t *map, size_t n) {
  if (map == NULL || map->type != YAML_MAPPING_NODE) {
    return NULL;
  }
  size_t count = (size_t)(map->data.mapping.pairs.top - map->data.mapping.pairs.start);
  return n < count ? yf_text(yaml_document_get_node(&file->document,
                                                    map->data.mapping.pairs.start[n].key))
                   : NULL;
}

yaml_node_t *yf_item(struct yf_file *file, yaml_node_t *list, size_t n) {
  if (list == NULL || list->type != YAML_SEQUENCE_NODE) {
    return NULL;
  }
  size_t count = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
  return n < count ? yaml_document_get_node(&file->document, list->data.sequence.items.start[n])
                   : NULL;
}
