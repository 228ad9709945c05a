/*
 * A model that was compiled as C code, on one thread.
 * usage: if-else ROWS COLUMNS BATCH ROUNDS MARGINS, where ROWS contains float32 rows; BATCH has no effect. Prints one line per round:
 * microseconds per row. Writes the margins of the last round to MARGINS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

float predict(const float *row);

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  const long columns = atol(argv[2]), rounds = atol(argv[4]);
  FILE *file = fopen(argv[1], "rb");
  if (!file) return 2;
  fseek(file, 0, SEEK_END);
  const long rows = ftell(file) / (4 * columns);
  rewind(file);
  float *data = malloc(4 * rows * columns);
  if (fread(data, 4 * columns, rows, file) != (size_t)rows) return 2;
  float *margins = malloc(4 * rows);
  for (long round = 0; round < rounds; round++) {
    const double start = now();
    for (long row = 0; row < rows; row++) margins[row] = predict(data + row * columns);
    printf("%.6f\n", (now() - start) / rows);
  }
  FILE *out = fopen(argv[5], "wb");
  if (!out || fwrite(margins, 4, rows, out) != (size_t)rows || fclose(out) != 0) return 2;
  return 0;
}
