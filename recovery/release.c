/*
 * Releases of Nova by their maximum microversion, and what came with which.
 */
#include "recovery/release.h"

#include <stddef.h>

/* Maxima as each release's own code has them; pairs that share one cannot be told apart. */
static const struct {
  int64_t max_minor;
  const char *name;
} releases[] = {
    {72, "Stein"},
    {79, "Train"},
    {87, "Ussuri or Victoria"},
    {88, "Wallaby"},
    {90, "Xena or Yoga"},
    {93, "Zed"},
    {95, "2023.1 or 2023.2"},
    {96, "2024.1 or 2024.2"},
    {100, "2025.1 or 2025.2"},
    {103, "2026.1"},
};

/* Up to the first number no release has it, from the second on every one; between: not known. */
static const struct {
  enum rcv_trait trait;
  int64_t without, with;
} traits[] = {
    /* 21.0.0; Train got it in 20.2.0, which its maximum does not tell: so no promise for Train */
    {RCV_TRAIT_START_ENDS_RECORD, 79, 87},
    {RCV_TRAIT_FORCED_HEAL, 79, 88},        /* 22.0.0, which shares its maximum with 21.0.0 */
    {RCV_TRAIT_RESET_RECORDED, 87, 88},     /* 23.0.0 */
    {RCV_TRAIT_VOLUME_REFRESH, 88, 90},     /* 24.0.0 (Xena) */
    {RCV_TRAIT_ATTACHMENT_IDS, 88, 89},     /* microversion 2.89 */
    {RCV_TRAIT_COMPUTE_ID, 94, 96},         /* 28.0.0 (2023.2), shares its maximum with 27.0.0 */
    {RCV_TRAIT_SERVICE_ROLE, 95, 96},       /* Neutron of 2024.1 */
    {RCV_TRAIT_FAILED_POST_MOVES, 96, 100}, /* 31.0.0 (2025.1); late builds of 2024.1 have it too */
    {RCV_TRAIT_PORTS_LEFT_ALONE, 96, 100},  /* 31.0.0: heal_instance_info_cache_interval is -1 */
};

enum rcv_tri rcv_release_has(int64_t max_minor, enum rcv_trait trait) {
  for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
    if (traits[i].trait == trait && max_minor >= 0) {
      if (max_minor <= traits[i].without) {
        return RCV_TRI_NO;
      }
      return max_minor >= traits[i].with ? RCV_TRI_YES : RCV_TRI_UNKNOWN;
    }
  }
  return RCV_TRI_UNKNOWN;
}

int rcv_start_is_no_cure(int64_t max_minor) {
  return rcv_release_has(max_minor, RCV_TRAIT_START_ENDS_RECORD) == RCV_TRI_NO;
}

int rcv_heal_is_forced(int64_t max_minor) {
  return max_minor < 0 || rcv_release_has(max_minor, RCV_TRAIT_FORCED_HEAL) == RCV_TRI_YES;
}

const char *rcv_release_name(int64_t max_minor, const char **after) {
  *after = NULL;
  for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
    if (releases[i].max_minor == max_minor) {
      return releases[i].name;
    }
    if (releases[i].max_minor < max_minor) {
      *after = releases[i].name;
    }
  }
  return NULL;
}
