/*
 * XGBoost's own C API on one thread: XGBoosterPredictFromDense, its fastest path for rows in memory.
 * usage: xgboost MODEL ROWS COLUMNS BATCH ROUNDS MARGINS, where ROWS contains float32 rows. Prints one line per round: microseconds
 * per row. Writes the margins of the last round to MARGINS.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef void *BoosterHandle;
typedef void *DMatrixHandle;
int XGBoosterCreate(const DMatrixHandle *, uint64_t, BoosterHandle *);
int XGBoosterLoadModel(BoosterHandle, const char *);
int XGBoosterSetParam(BoosterHandle, const char *, const char *);
int XGBoosterPredictFromDense(BoosterHandle, const char *, const char *, DMatrixHandle, const uint64_t **, uint64_t *, const float **);
const char *XGBGetLastError(void);

static void check(int status) {
  if (status != 0) {
    fprintf(stderr, "%s\n", XGBGetLastError());
    exit(1);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  const long columns = atol(argv[3]), batch = atol(argv[4]), rounds = atol(argv[5]);
  FILE *file = fopen(argv[2], "rb");
  if (!file) return 2;
  fseek(file, 0, SEEK_END);
  const long rows = ftell(file) / (4 * columns);
  rewind(file);
  float *data = malloc(4 * rows * columns);
  if (fread(data, 4 * columns, rows, file) != (size_t)rows) return 2;
  float *margins = malloc(4 * rows);
  BoosterHandle booster;
  check(XGBoosterCreate(NULL, 0, &booster));
  check(XGBoosterLoadModel(booster, argv[1]));
  check(XGBoosterSetParam(booster, "nthread", "1"));
  const char *config =
      "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,\"missing\":NaN,\"cache_id\":0}";
  for (long round = 0; round < rounds; round++) {
    const double start = now();
    for (long row = 0; row + batch <= rows; row += batch) {
      char values[160];
      snprintf(values, sizeof values, "{\"data\":[%llu,true],\"shape\":[%ld,%ld],\"typestr\":\"<f4\",\"version\":3}",
               (unsigned long long)(uintptr_t)(data + row * columns), batch, columns);
      const uint64_t *shape;
      uint64_t dimensions;
      const float *result;
      check(XGBoosterPredictFromDense(booster, values, config, NULL, &shape, &dimensions, &result));
      for (long i = 0; i < batch; i++) margins[row + i] = result[i];
    }
    const double elapsed = now() - start;
    printf("%.6f\n", elapsed / (rows / batch * batch));
  }
  FILE *out = fopen(argv[6], "wb");
  if (!out || fwrite(margins, 4, rows, out) != (size_t)rows || fclose(out) != 0) return 2;
  return 0;
}
