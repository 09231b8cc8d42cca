/* Releases of Nova by their maximum microversion, and what came with which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/release.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void releases_have_their_names(void **state) {
  static const struct {
    int64_t max;
    const char *name, *after; /* "" none */
  } want[] = {{-1, "", ""},
              {1, "", ""},
              {79, "Train", "Stein"},
              {80, "", "Train"},
              {87, "Ussuri or Victoria", "Train"},
              {88, "Wallaby", "Ussuri or Victoria"},
              {90, "Xena or Yoga", "Wallaby"},
              {93, "Zed", "Xena or Yoga"},
              {95, "2023.1 or 2023.2", "Zed"},
              {96, "2024.1 or 2024.2", "2023.1 or 2023.2"},
              {98, "", "2024.1 or 2024.2"},
              {100, "2025.1 or 2025.2", "2024.1 or 2024.2"},
              {103, "2026.1", "2025.1 or 2025.2"},
              {104, "", "2026.1"}};
  (void)state;
  for (size_t i = 0; i < COUNT(want); i++) {
    const char *after = "unset";
    const char *name = rcv_release_name(want[i].max, &after);
    assert_string_equal(name == NULL ? "" : name, want[i].name);
    assert_string_equal(after == NULL ? "" : after, want[i].after);
  }
}

/* '-' no, '+' yes, '?' not settled; one column for each maximum. */
static void releases_have_what_came_with_them(void **state) {
  static const int64_t max[] = {-1, 79, 87, 88, 90, 93, 95, 96, 98, 100, 104};
  static const struct {
    enum rcv_trait trait;
    const char *has;
  } want[] = {{RCV_TRAIT_NONE, "???????????"},
              {RCV_TRAIT_START_ENDS_RECORD, "?-+++++++++"},
              {RCV_TRAIT_FORCED_HEAL, "?-?++++++++"},
              {RCV_TRAIT_RESET_RECORDED, "?--++++++++"},
              {RCV_TRAIT_VOLUME_REFRESH, "?---+++++++"},
              {RCV_TRAIT_ATTACHMENT_IDS, "?---+++++++"},
              {RCV_TRAIT_COMPUTE_ID, "?-----?++++"},
              {RCV_TRAIT_SERVICE_ROLE, "?------++++"},
              {RCV_TRAIT_FAILED_POST_MOVES, "?-------?++"},
              {RCV_TRAIT_PORTS_LEFT_ALONE, "?-------?++"}};
  (void)state;
  assert_int_equal(COUNT(want), RCV_TRAIT_COUNT);
  for (size_t t = 0; t < COUNT(want); t++) {
    for (size_t i = 0; i < COUNT(max); i++) {
      enum rcv_tri is = rcv_release_has(max[i], want[t].trait);
      assert_int_equal(is == RCV_TRI_YES ? '+' : is == RCV_TRI_NO ? '-' : '?', want[t].has[i]);
      if (want[t].trait == RCV_TRAIT_FORCED_HEAL) {
        assert_int_equal(rcv_heal_is_forced(max[i]), is == RCV_TRI_YES || max[i] < 0);
      }
      if (want[t].trait == RCV_TRAIT_START_ENDS_RECORD) {
        assert_int_equal(rcv_start_is_no_cure(max[i]), is == RCV_TRI_NO);
      }
    }
  }
  assert_int_equal(rcv_release_has(93, RCV_TRAIT_COUNT), RCV_TRI_UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(releases_have_their_names),
      cmocka_unit_test(releases_have_what_came_with_them),
  };
  return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
