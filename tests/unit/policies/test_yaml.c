/* The strict YAML reader: what it accepts, and one case for each thing it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/yaml.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct pol_yaml *parse(const char *text) {
  struct pol_yaml *yaml = NULL;
  struct pol_error error = {""};
  if (pol_yaml_parse(text, strlen(text), "f.yaml", &yaml, &error) != 0) {
    print_error("%s\n", error.text);
    fail();
  }
  return yaml;
}

/* The message must begin with begin and contain the rest, and be one line. */
static void refuses_bytes(const char *bytes, size_t n, const char *begin, const char *contains) {
  struct pol_yaml *yaml = (struct pol_yaml *)1;
  struct pol_error error = {""};
  assert_int_equal(pol_yaml_parse(bytes, n, "f.yaml", &yaml, &error), -1);
  assert_null(yaml);
  if (strncmp(error.text, begin, strlen(begin)) != 0 || strstr(error.text, contains) == NULL) {
    print_error("got: %s\nwanted: %s...%s\n", error.text, begin, contains);
    fail();
  }
  assert_null(strchr(error.text, '\n'));
}

static void refuses(const char *text, const char *begin, const char *contains) {
  refuses_bytes(text, strlen(text), begin, contains);
}

static void test_tree(void **state) {
  (void)state;
  struct pol_yaml *yaml = parse("---\n"
                                "a: 1 # comment\r\n"
                                "b:\n"
                                "  c: [x, \"y z\"]\n"
                                "  d: {e: true}\n"
                                "list:\n"
                                "- f: one\n"
                                "- f: 'two'\n"
                                "...\n");
  const struct pol_yaml_node *root = yaml->root;
  const struct pol_yaml_node *b = pol_yaml_member(root, "b");
  const struct pol_yaml_node *c = pol_yaml_member(b, "c");
  const struct pol_yaml_node *e = pol_yaml_member(pol_yaml_member(b, "d"), "e");
  const struct pol_yaml_node *list = pol_yaml_member(root, "list");
  char path[POL_YAML_PATH_BYTES];
  assert_int_equal(root->kind, POL_YAML_MAP);
  assert_int_equal(root->children, 3);
  assert_int_equal(pol_yaml_member(root, "a")->line, 2);
  assert_string_equal(pol_yaml_member(root, "a")->text, "1");
  assert_int_equal(c->kind, POL_YAML_LIST);
  assert_int_equal(c->line, 4);
  assert_int_equal(c->children, 2);
  assert_int_equal(c->first->plain, 1);
  assert_int_equal(c->first->next->plain, 0);
  assert_string_equal(c->first->next->text, "y z");
  assert_int_equal(e->line, 5);
  pol_yaml_path(e, path);
  assert_string_equal(path, "b.d.e");
  pol_yaml_path(pol_yaml_member(list->first->next, "f"), path);
  assert_string_equal(path, "list[2].f");
  assert_int_equal(pol_yaml_member(list->first->next, "f")->line, 8);
  pol_yaml_path(root, path);
  assert_string_equal(path, "");
  assert_null(pol_yaml_member(root, "zzz"));
  assert_null(pol_yaml_member(list, "f"));
  assert_null(pol_yaml_member(NULL, "f"));
  pol_yaml_free(yaml);
  pol_yaml_free(NULL);
}

static void test_refused_constructs(void **state) {
  (void)state;
  static const struct {
    const char *text, *begin, *contains;
  } cases[] = {
      {"", "f.yaml:1: ", "empty"},
      {"# only a comment\n", "f.yaml:1: ", "empty"},
      {"---\n", "f.yaml:1: ", "empty"},
      {"{}\n", "f.yaml:1: ", "not a map of keys"},
      {"just text\n", "f.yaml:1: ", "not a map of keys"},
      {"- a\n- b\n", "f.yaml:1: ", "not a map of keys"},
      {"a: 1\nb: &x 2\n", "f.yaml:2: ", "anchor"},
      {"a: 1\nb: &x {c: 2}\n", "f.yaml:2: ", "anchor"},
      {"a: 1\nb: &x [2]\n", "f.yaml:2: ", "anchor"},
      {"&k a: 1\n", "f.yaml:1: ", "anchor"},
      {"a: 1\n\nb: *x\n", "f.yaml:3: ", "alias"},
      {"*x : 1\n", "f.yaml:1: ", "alias"},
      {"a: !!int 1\n", "f.yaml:1: ", "tag"},
      {"a: ! 1\n", "f.yaml:1: ", "tag"},
      {"a: !!map {b: 1}\n", "f.yaml:1: ", "tag"},
      {"a: !x [b]\n", "f.yaml:1: ", "tag"},
      {"%YAML 1.1\n---\na: 1\n", "f.yaml:1: ", "directive"},
      {"%TAG ! tag:x,2000:\n---\na: 1\n", "f.yaml:1: ", "directive"},
      {"a: 1\n---\nb: 2\n", "f.yaml:2: ", "second document"},
      {"a: 1\n...\n---\nb: 2\n", "f.yaml:3: ", "second document"},
      {"<<: {a: 1}\n", "f.yaml:1: ", "merge key"},
      {"a: 1\nb: 2\na: 3\n", "f.yaml:3: key 'a': ", "first on line 1"},
      {"s: {a: 1, \"a\": 2}\n", "f.yaml:1: key 's.a': ", "given twice"},
      {"? {a: 1}\n: b\n", "f.yaml:1: ", "in the place of a key"},
      {"? [a]\n: b\n", "f.yaml:1: ", "in the place of a key"},
      {"\"\": 1\n", "f.yaml:1: ", "empty key"},
      {"a: 1\n\tb: 2\n", "f.yaml:2: ", "tab"},
      {"a: 1\nb:\t2\n", "f.yaml:2: ", "tab"},
      {"a: 1 \xC3\x28\n", "f.yaml:1: ", "UTF-8"},
      {"a: \xC0\x80\n", "f.yaml:1: ", "UTF-8"},
      {"a: \xED\xA0\x80\n", "f.yaml:1: ", "UTF-8"},
      {"a: \xF5\x80\x80\x80\n", "f.yaml:1: ", "UTF-8"},
      {"a: \xF0\x80\x80\x80\n", "f.yaml:1: ", "UTF-8"},
      {"a: \xE2\x82", "f.yaml:1: ", "UTF-8"},
      {"\xFF\xFE"
       "a",
       "f.yaml:1: ", "UTF-8"},
      {"\xEF\xBB\xBF"
       "a: 1\n",
       "f.yaml:1: ", "U+FEFF"},
      {"a: 1\n# \x1B[2J\n", "f.yaml:2: ", "U+001B"},
      {"a: x\xE2\x80\xAEy\n", "f.yaml:1: ", "U+202E"},
      {"a: 1\rb: 2\n", "f.yaml:1: ", "U+000D"},
      {"a: \"x\\0y\"\n", "f.yaml:1: ", "control"},
      {"a: \"x\\ny\"\n", "f.yaml:1: ", "one line"},
      {"a: \"\\e[2J\"\n", "f.yaml:1: ", "control"},
      {"a: \"\\u202E\"\n", "f.yaml:1: ", "invisible"},
      {"a: |\n  two\n  lines\n", "f.yaml:1: ", "one line"},
      {"a: [1, 2\nb: 3\n", "f.yaml:", "not valid YAML"},
      {"a: 'x\n", "f.yaml:", "not valid YAML"},
      {"a: b: c\n", "f.yaml:1: ", "not valid YAML"},
      {"a: 1\n b: 2\n", "f.yaml:2: ", "not valid YAML"},
      {"a: @x\n", "f.yaml:1: ", "not valid YAML"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    refuses(cases[i].text, cases[i].begin, cases[i].contains);
  }
  refuses_bytes("a: 1\0b\n", 7, "f.yaml:1: ", "U+0000");
}

/* n copies of piece between head and tail; free it. */
static char *repeat(const char *head, const char *piece, size_t n, const char *tail) {
  size_t len = strlen(piece);
  char *out = malloc(strlen(head) + n * len + strlen(tail) + 1);
  assert_non_null(out);
  size_t used = strlen(head);
  memcpy(out, head, used);
  for (size_t i = 0; i < n; i++) {
    memcpy(out + used, piece, len);
    used += len;
  }
  memcpy(out + used, tail, strlen(tail) + 1);
  return out;
}

static void refuses_repeat(const char *head, const char *piece, size_t n, const char *tail,
                           const char *begin, const char *contains) {
  char *text = repeat(head, piece, n, tail);
  refuses(text, begin, contains);
  free(text);
}

static void accepts_repeat(const char *head, const char *piece, size_t n, const char *tail) {
  char *text = repeat(head, piece, n, tail);
  pol_yaml_free(parse(text));
  free(text);
}

static void test_bounds(void **state) {
  (void)state;
  /* The root map is one level. */
  accepts_repeat("a: ", "[", POL_YAML_DEPTH - 1, "]]]]]]]\n");
  refuses("a: [[[[[[[[1]]]]]]]]\n", "f.yaml:1: ", "nested more than 8");
  refuses_repeat("a: ", "[", 100000, "", "f.yaml:1: ", "nested more than 8");
  refuses_repeat("a: ", "{a: ", 50000, "", "f.yaml:1: ", "nested more than 8");
  refuses_repeat("", "- ", 50000, "", "f.yaml:1: ", "nested more than 8");
  accepts_repeat("a: ", "x", POL_YAML_TEXT_BYTES - 1, "\n");
  refuses_repeat("b: 1\na: ", "x", POL_YAML_TEXT_BYTES, "\n", "f.yaml:2: ", "more than 1023");
  accepts_repeat("", "k", POL_YAML_KEY_BYTES - 1, ": 1\n");
  refuses_repeat("", "k", POL_YAML_KEY_BYTES, ": 1\n", "f.yaml:1: ", "key is too long");
  accepts_repeat("a: [", "1,", POL_YAML_MEMBERS, "]\n");
  refuses_repeat("a: [", "1,", POL_YAML_MEMBERS + 1, "]\n", "f.yaml:1: ", "4096 members");
  refuses_repeat("a: [", "[1,1,1,1,1,1,1,1,1],", 2000, "]\n", "f.yaml:1: ", "16384 values");
  /* Exactly the largest size is read, one byte more is not. */
  accepts_repeat("a: 1\n", "#", POL_YAML_FILE_BYTES - 6, "\n");
  refuses_repeat("a: 1\n", "#", POL_YAML_FILE_BYTES - 5, "\n", "f.yaml: ", "larger than 262144");
}

static void test_int(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t value;
  } good[] = {{"a: 0", 0}, {"a: 7", 7}, {"a: -5", -5}, {"a: 1000", 1000}};
  static const char *const bad[] = {
      "a: 01",
      "a: +1",
      "a: 0x1",
      "a: 1_0",
      "a: 1e3",
      "a: 1.0",
      "a: 90s",
      "a: -0",
      "a: ",
      "a: ~",
      "a: null",
      "a: \"7\"",
      "a: '7'",
      "a: true",
      "a: [7]",
      "a: {b: 7}",
      "a: 1001",
      "a: -6",
      "a: 0o7",
      "a: -x",
      "a: 1:30",
      "a: 99999999999999999999",
      "a: 9999999999999999",
  };
  struct pol_error error = {""};
  for (size_t i = 0; i < COUNT(good); i++) {
    int64_t value = 99;
    struct pol_yaml *yaml = parse(good[i].text);
    assert_int_equal(pol_yaml_int(yaml, yaml->root->first, -5, 1000, "s", &value, &error), 0);
    assert_int_equal(value, good[i].value);
    pol_yaml_free(yaml);
  }
  for (size_t i = 0; i < COUNT(bad); i++) {
    int64_t value = 99;
    struct pol_yaml *yaml = parse(bad[i]);
    assert_int_equal(pol_yaml_int(yaml, yaml->root->first, -5, 1000, "s", &value, &error), -1);
    assert_int_equal(value, 99);
    assert_memory_equal(error.text, "f.yaml:1: key 'a': ", 19);
    pol_yaml_free(yaml);
  }
  struct pol_yaml *yaml = parse("x: 1\na:\n  b: 2000\n");
  int64_t value = 0;
  assert_int_equal(
      pol_yaml_int(yaml, yaml->root->first->next->first, 2, 20, "rounds", &value, &error), -1);
  assert_string_equal(error.text, "f.yaml:3: key 'a.b': 2000 is out of range; write a number from "
                                  "2 to 20 rounds");
  pol_yaml_free(yaml);
}

static void test_bool(void **state) {
  (void)state;
  static const char *const bad[] = {
      "a: yes",      "a: no",      "a: on", "a: True",   "a: TRUE",  "a: 1",        "a: 0",
      "a: \"true\"", "a: 'false'", "a:",    "a: [true]", "a: truee", "a: {true: 1}"};
  struct pol_error error = {""};
  int64_t value = 9;
  struct pol_yaml *yaml = parse("a: true\nb: false\n");
  assert_int_equal(pol_yaml_bool(yaml, yaml->root->first, &value, &error), 0);
  assert_int_equal(value, 1);
  assert_int_equal(pol_yaml_bool(yaml, yaml->root->first->next, &value, &error), 0);
  assert_int_equal(value, 0);
  pol_yaml_free(yaml);
  for (size_t i = 0; i < COUNT(bad); i++) {
    yaml = parse(bad[i]);
    value = 9;
    assert_int_equal(pol_yaml_bool(yaml, yaml->root->first, &value, &error), -1);
    assert_int_equal(value, 9);
    assert_non_null(strstr(error.text, "key 'a'"));
    pol_yaml_free(yaml);
  }
}

static void test_text(void **state) {
  (void)state;
  struct pol_error error = {""};
  char out[8] = "old";
  struct pol_yaml *yaml = parse("a: 1234567\nb: 12345678\nc: ''\nd: 'null'\ne: null\nf: [x]\n");
  const struct pol_yaml_node *a = yaml->root->first;
  assert_int_equal(pol_yaml_text(yaml, a->next, out, sizeof out, &error), -1);
  assert_string_equal(error.text, "f.yaml:2: key 'b': is 8 bytes long; at most 7 are allowed");
  assert_string_equal(out, "old");
  assert_int_equal(pol_yaml_text(yaml, a->next->next, out, sizeof out, &error), -1);
  assert_non_null(strstr(error.text, "is empty"));
  assert_int_equal(pol_yaml_text(yaml, pol_yaml_member(yaml->root, "e"), out, 8, &error), -1);
  assert_int_equal(pol_yaml_text(yaml, pol_yaml_member(yaml->root, "f"), out, 8, &error), -1);
  assert_string_equal(out, "old");
  assert_int_equal(pol_yaml_text(yaml, a, out, sizeof out, &error), 0);
  assert_string_equal(out, "1234567");
  assert_int_equal(pol_yaml_text(yaml, pol_yaml_member(yaml->root, "d"), out, 8, &error), 0);
  assert_string_equal(out, "null");
  pol_yaml_free(yaml);
}

static void test_expect_and_keys(void **state) {
  (void)state;
  static const char *const known[] = {"a", "b"};
  struct pol_error error = {""};
  struct pol_yaml *yaml = parse("a: [1, 2, 3]\nb: {}\nc: []\n");
  const struct pol_yaml_node *a = yaml->root->first;
  assert_int_equal(pol_yaml_expect(yaml, a, POL_YAML_LIST, 3, &error), 0);
  assert_int_equal(pol_yaml_expect(yaml, a, POL_YAML_LIST, 2, &error), -1);
  assert_string_equal(error.text, "f.yaml:1: key 'a': has 3 members; at most 2 are allowed");
  assert_int_equal(pol_yaml_expect(yaml, a, POL_YAML_MAP, 3, &error), -1);
  assert_int_equal(pol_yaml_expect(yaml, a->next, POL_YAML_MAP, 3, &error), -1);
  assert_non_null(strstr(error.text, "key 'b': is empty"));
  assert_int_equal(pol_yaml_only_keys(yaml, yaml->root, known, 2, &error), -1);
  assert_string_equal(error.text, "f.yaml:3: key 'c': is not known; known here: a, b");
  pol_yaml_free(yaml);
  yaml = parse("b: 1\n");
  assert_int_equal(pol_yaml_only_keys(yaml, yaml->root, known, 2, &error), 0);
  assert_int_equal(pol_fail(NULL, "no error is wanted"), -1);
  pol_yaml_free(yaml);
}

/* A path longer than its buffer is cut, and a message longer than its is too. */
static void test_long_paths(void **state) {
  (void)state;
  char *key = repeat("", "k", POL_YAML_KEY_BYTES - 1, "");
  char text[4 * POL_YAML_KEY_BYTES];
  struct pol_error error = {""};
  (void)snprintf(text, sizeof text, "%s: {%s: {%s: 1}}\n", key, key, key);
  struct pol_yaml *yaml = parse(text);
  int64_t value = 0;
  const struct pol_yaml_node *deep = yaml->root->first->first->first;
  assert_int_equal(pol_yaml_int(yaml, deep, 5, 9, "", &value, &error), -1);
  assert_true(strlen(error.text) < sizeof error.text);
  assert_non_null(strstr(error.text, "1 is out of range; write a number from 5 to 9"));
  pol_yaml_free(yaml);
  free(key);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tree),
      cmocka_unit_test(test_refused_constructs),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_int),
      cmocka_unit_test(test_bool),
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_expect_and_keys),
      cmocka_unit_test(test_long_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
