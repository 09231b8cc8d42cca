/* The XML reader of the probe: it must find what is there, and nothing that only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The probe's files are in no library, since only that program links libvirt. */
#include "agent/probe/xml.c" /* NOLINT(bugprone-suspicious-include) */

#define NOVA10 "http://openstack.org/xmlns/libvirt/nova/1.0"
#define NOVA11 "http://openstack.org/xmlns/libvirt/nova/1.1"

enum { NAME, UUID, NOVA, PROJECT, MIRROR, CPU, WANTS };

static const struct xml_want want[WANTS] = {
    {XML_TEXT, "domain/name", NULL},
    {XML_TEXT, "domain/uuid", NULL},
    {XML_COUNT, "domain/metadata/nova:instance", NULL},
    {XML_ATTRIBUTE, "domain/metadata/nova:instance/nova:owner/nova:project", "uuid"},
    {XML_COUNT, "domain/devices/disk/mirror", NULL},
    {XML_SLICE, "domain/cpu", NULL}};

static struct xml_found found[WANTS];
static const char *why;

static int parse(const char *text) {
  return xml_read(text, strlen(text), want, found, WANTS, &why);
}

static void accepts(const char *text) {
  if (parse(text) != 0) {
    fail_msg("refused (%s): %s", why, text);
  }
}

static void refuses(const char *text) {
  if (parse(text) == 0) {
    fail_msg("accepted: %s", text);
  }
  assert_non_null(why);
  for (size_t i = 0; i < WANTS; i++) {
    assert_int_equal(found[i].count, 0);
  }
}

static const char whole[] =
    "<?xml version='1.0'?>\n"
    "<!-- WARNING: <name>fake</name> -->\n"
    "<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
    "  <name>instance-0000000a</name>\n"
    "  <uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid>\n"
    "  <metadata>\n"
    "    <nova:instance xmlns:nova=\"" NOVA11 "\">\n"
    "      <nova:name>my &lt;server&gt;</nova:name>\n"
    "      <nova:owner><nova:user uuid=\"u1\">admin</nova:user>\n"
    "        <nova:project uuid=\"p1\">demo &amp; co</nova:project></nova:owner>\n"
    "    </nova:instance>\n"
    "  </metadata>\n"
    "  <cpu mode='custom'><model>Nehalem</model></cpu>\n"
    "  <devices><disk type='file'><source file='/a'/></disk>"
    "<disk><mirror type='file' job='copy'><source file='/b'/></mirror></disk></devices>\n"
    "</domain>\n";

static void reads_a_domain(void **state) {
  (void)state;
  accepts(whole);
  assert_string_equal(found[NAME].text, "instance-0000000a");
  assert_string_equal(found[UUID].text, "4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
  assert_int_equal(found[NOVA].count, 1);
  assert_string_equal(found[PROJECT].text, "p1");
  assert_false(found[PROJECT].differ);
  assert_int_equal(found[MIRROR].count, 1);
  assert_int_equal(found[CPU].slice_len, strlen("<cpu mode='custom'><model>Nehalem</model></cpu>"));
  assert_memory_equal(found[CPU].slice, "<cpu mode='custom'><model>Nehalem</model></cpu>",
                      found[CPU].slice_len);
}

static void every_truncation_is_refused(void **state) {
  (void)state;
  size_t n = strlen(whole);
  for (size_t i = 0; i + 1 < n; i++) { /* without the last newline it is still whole */
    char *copy = malloc(i + 1);
    assert_non_null(copy);
    memcpy(copy, whole, i);
    assert_int_equal(xml_read(copy, i, want, found, WANTS, &why), -1);
    free(copy);
  }
}

/* Not a fuzzer, but every byte that could steer the parser in every place. */
static void survives_every_changed_byte(void **state) {
  (void)state;
  static const char evil[] = {'<', '>', '&', '"', '\'', '/', '!', '?', ':', ']', '\0', '\x80', ' '};
  size_t n = strlen(whole);
  char *copy = malloc(n);
  assert_non_null(copy);
  for (size_t i = 0; i < n; i++) {
    for (size_t e = 0; e < sizeof evil; e++) {
      memcpy(copy, whole, n);
      copy[i] = evil[e];
      (void)xml_read(copy, n, want, found, WANTS, &why);
    }
  }
  free(copy);
}

static void namespaces_decide_not_prefixes(void **state) {
  (void)state;
  accepts("<domain><metadata><x:instance xmlns:x='" NOVA10 "'><x:owner>"
          "<x:project uuid='p'/></x:owner></x:instance></metadata></domain>");
  assert_string_equal(found[PROJECT].text, "p");
  accepts("<domain><metadata><instance xmlns='" NOVA10 "'><owner>"
          "<project uuid='p'/></owner></instance></metadata></domain>");
  assert_string_equal(found[PROJECT].text, "p");
  accepts("<domain><metadata><nova:instance xmlns:nova='http://example.org/'><nova:owner>"
          "<nova:project uuid='p'/></nova:owner></nova:instance></metadata></domain>");
  assert_int_equal(found[NOVA].count, 0);
  assert_int_equal(found[PROJECT].count, 0);
  accepts("<domain><metadata><nova:instance xmlns:nova='" NOVA10 "x'/></metadata></domain>");
  assert_int_equal(found[NOVA].count, 0);
  /* The URI may be written with references. */
  accepts(
      "<domain><metadata><n:instance xmlns:n='http&#58;//openstack.org/xmlns/libvirt/nova/1.0'/>"
      "</metadata></domain>");
  assert_int_equal(found[NOVA].count, 1);
  /* An inner declaration ends with its element. */
  accepts("<domain xmlns:n='" NOVA10 "'><metadata><n:instance xmlns:n='urn:x'/><n:instance/>"
          "</metadata></domain>");
  assert_int_equal(found[NOVA].count, 1);
  /* A default namespace on the root means that none of ours is there. */
  accepts("<domain xmlns='urn:x'><name>n</name></domain>");
  assert_int_equal(found[NAME].count, 0);
  refuses("<domain><x:name>n</x:name></domain>");
  refuses("<domain><a:b:name>n</a:b:name></domain>");
}

static void fakes_in_other_places_do_not_count(void **state) {
  (void)state;
  accepts(
      "<domain><description>&lt;name&gt;fake&lt;/name&gt;</description><name>real</name></domain>");
  assert_string_equal(found[NAME].text, "real");
  assert_int_equal(found[NAME].count, 1);
  accepts("<domain><description><![CDATA[<name>fake</name></description></domain>]]></description>"
          "<name>real</name></domain>");
  assert_string_equal(found[NAME].text, "real");
  accepts("<domain><title>x<!-- </title><name>fake</name> --></title><name>real</name></domain>");
  assert_int_equal(found[NAME].count, 1);
  accepts("<domain><metadata><o:x xmlns:o='urn:o'><domain><name>fake</name></domain>"
          "<name>fake</name></o:x></metadata><name>real</name></domain>");
  assert_string_equal(found[NAME].text, "real");
  accepts("<domain><devices><disk><backingStore><mirror/></backingStore></disk><mirror/></devices>"
          "<mirror/></domain>");
  assert_int_equal(found[MIRROR].count, 0);
  accepts("<other><domain><name>fake</name></domain></other>");
  assert_int_equal(found[NAME].count, 0);
  accepts("<domain><metadata><o:p xmlns:o='urn:o' xmlns:nova='" NOVA11
          "'><nova:instance><nova:owner>"
          "<nova:project uuid='fake'/></nova:owner></nova:instance></o:p></metadata></domain>");
  assert_int_equal(found[PROJECT].count, 0);
}

static void two_owners_are_told_apart(void **state) {
  (void)state;
#define OWNER(ns, p)                                                                               \
  "<n:instance xmlns:n='" ns "'><n:owner><n:project uuid='" p "'/></n:owner></n:instance>"
  accepts("<domain><metadata>" OWNER(NOVA10, "a") OWNER(NOVA11, "a") "</metadata></domain>");
  assert_int_equal(found[PROJECT].count, 2);
  assert_false(found[PROJECT].differ);
  accepts("<domain><metadata>" OWNER(NOVA10, "a") OWNER(NOVA11, "b") "</metadata></domain>");
  assert_true(found[PROJECT].differ);
  assert_string_equal(found[PROJECT].text, "a");
  accepts("<domain><name>a</name><name>b</name></domain>");
  assert_int_equal(found[NAME].count, 2);
}

static void references_are_decoded(void **state) {
  (void)state;
  accepts("<domain><name>a&amp;b&lt;&gt;&quot;&apos;&#65;&#x42;&#xe9;&#x20AC;&#x1F600;</name></"
          "domain>");
  assert_string_equal(found[NAME].text, "a&b<>\"'AB\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  accepts("<domain><name>a<![CDATA[&amp;<]]>b<!-- c -->d</name></domain>");
  assert_string_equal(found[NAME].text, "a&amp;<bd");
  accepts("<domain><name/></domain>");
  assert_int_equal(found[NAME].count, 1);
  assert_string_equal(found[NAME].text, "");
  refuses("<domain><name>&nbsp;</name></domain>");
  refuses("<domain><name>&amp</name></domain>");
  refuses("<domain><name>&#0;</name></domain>");
  refuses("<domain><name>&#x;</name></domain>");
  refuses("<domain><name>&#xD800;</name></domain>");
  refuses("<domain><name>&#x110000;</name></domain>");
  refuses("<domain><name>&#99999999999999999999;</name></domain>");
  refuses("<domain><name>&#7;</name></domain>");
  refuses("<domain a='&x;'/>");
}

static void malformed_is_refused(void **state) {
  (void)state;
  refuses("");
  refuses("  ");
  refuses("text");
  refuses("<domain>");
  refuses("</domain>");
  refuses("<domain></domian>");
  refuses("<domain/><domain/>");
  refuses("<domain/>x");
  refuses("<domain><name>a<b/></name></domain>");
  refuses("<domain a=b/>");
  refuses("<domain a/>");
  refuses("<domain a='1' a='2'/>");
  refuses("<domain a='1'b='2'/>");
  refuses("<domain a='<'/>");
  refuses("< domain/>");
  refuses("<1domain/>");
  refuses("<!DOCTYPE domain [<!ENTITY x 'y'>]><domain><name>&x;</name></domain>");
  refuses("<domain><name>a\x01</name></domain>");
  refuses("<domain><![CDATA[</domain>");
  refuses("<domain><!-- </domain>");
  refuses("<![CDATA[ ]]><domain/>");
  assert_int_equal(xml_read("<domain/>\0", 10, want, found, WANTS, &why), -1);
}

static void bounds_hold(void **state) {
  (void)state;
  char text[64 * 1024] = "";
  size_t used = 0;
  for (int i = 0; i < 65; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "<a>");
  }
  for (int i = 0; i < 65; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "</a>");
  }
  refuses(text);
  used = (size_t)snprintf(text, sizeof text, "<domain><name>");
  memset(text + used, 'n', XML_TEXT_BYTES);
  (void)snprintf(text + used + XML_TEXT_BYTES, sizeof text - used - XML_TEXT_BYTES,
                 "</name></domain>");
  refuses(text);
  used = (size_t)snprintf(text, sizeof text, "<domain");
  for (int i = 0; i < 65; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, " a%d='1'", i);
  }
  (void)snprintf(text + used, sizeof text - used, "/>");
  refuses(text);
  char *large = malloc(XML_MAX_BYTES + 1);
  assert_non_null(large);
  memset(large, ' ', XML_MAX_BYTES + 1);
  memcpy(large, "<domain/>", 9);
  assert_int_equal(xml_read(large, XML_MAX_BYTES, want, found, WANTS, &why), 0);
  assert_int_equal(xml_read(large, XML_MAX_BYTES + 1, want, found, WANTS, &why), -1);
  free(large);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_a_domain),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(survives_every_changed_byte),
      cmocka_unit_test(namespaces_decide_not_prefixes),
      cmocka_unit_test(fakes_in_other_places_do_not_count),
      cmocka_unit_test(two_owners_are_told_apart),
      cmocka_unit_test(references_are_decoded),
      cmocka_unit_test(malformed_is_refused),
      cmocka_unit_test(bounds_hold),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
