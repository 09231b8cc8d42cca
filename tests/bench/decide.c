/* How many decisions a second on one decoded evidence file: decide alone, then with the words. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "agent/records/verdict.h"

#define BENCH_S 1.0

static double now(void) {
  struct timespec ts;
  (void)clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  struct uw_err err;
  uw_err_clear(&err);
  struct uw_record *r = argc == 2 ? uw_record_read(argv[1], &err) : NULL;
  struct uw_judgement *j = uw_judgement_new();
  if (r == NULL || j == NULL) {
    (void)fprintf(stderr, "usage: decide EVIDENCE.json: %s\n", err.text);
    return 1;
  }
  struct rcv_permit permit;
  long decided = 0;
  long judged = 0;
  double begin = now();
  while (now() - begin < BENCH_S) {
    for (int i = 0; i < 1000; i++) {
      rcv_decide(&r->evidence, &r->policy, NULL, &j->verdict, &permit);
      decided++;
    }
  }
  double middle = now();
  while (now() - middle < BENCH_S) {
    for (int i = 0; i < 100; i++) {
      uw_judge(r, NULL, 0, j);
      judged++;
    }
  }
  double end = now();
  (void)printf("%.0f %.0f\n", (double)decided / (middle - begin), (double)judged / (end - middle));
  uw_judgement_free(j);
  uw_record_free(r);
  return 0;
}
