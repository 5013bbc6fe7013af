/* The C interface as a program in C99 sees it: results of every layout of pixels, bad input, threads, memory.
 * usage: test_c WEIGHTS VERSION REPEATS      WEIGHTS: of capi_peer, without classes; REPEATS: detections in a loop, 0:
 * the process's memory is not looked at */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nucdet.h"

enum { HEIGHT = 64, WIDTH = 80, VALUES = HEIGHT * WIDTH * 3 };

static int failures = 0;

static void check(int right, const char* what, int line) {
  if (right) return;
  ++failures;
  fprintf(stderr, "line %d: %s; last error: %s\n", line, what, nucdet_last_error());
}
#define CHECK(condition) check(condition, #condition, __LINE__)
#define CHECK_OK(call) CHECK((call) == NUCDET_OK)
/* The status, and a part of the text. */
#define CHECK_FAILS(call, status, text) \
  check((call) == (status) && strstr(nucdet_last_error(), text) != NULL, #call " as " #status " with " text, __LINE__)

/* Pink with purple discs. */
static void draw_tissue(uint8_t* rgb) {
  static const int pink[3] = {228, 170, 205}, purple[3] = {95, 60, 140};
  uint32_t random = 1;
  int x, y, c, disc;
  for (y = 0; y < HEIGHT; ++y)
    for (x = 0; x < WIDTH; ++x)
      for (c = 0; c < 3; ++c) {
        random = random * 1664525u + 1013904223u;
        rgb[(y * WIDTH + x) * 3 + c] = (uint8_t)(pink[c] + (int)(random >> 28) - 8);
      }
  for (disc = 0; disc < 12; ++disc) {
    const int cx = 8 + disc * 37 % (WIDTH - 16), cy = 8 + disc * 23 % (HEIGHT - 16);
    for (y = -6; y <= 6; ++y)
      for (x = -6; x <= 6; ++x)
        for (c = 0; c < 3; ++c)
          if (x * x + y * y <= 36) rgb[((cy + y) * WIDTH + cx + x) * 3 + c] = (uint8_t)(purple[c] + x + y);
  }
}

static uint8_t tissue[VALUES];

static nucdet_image image_of(const void* pixels, int32_t type) {
  nucdet_image image = {.size = sizeof(nucdet_image)};
  image.pixels = pixels, image.type = type;
  image.height = HEIGHT, image.width = WIDTH, image.channels = 3;
  return image;
}

static nucdet_detector* opened(const char* weights, const nucdet_detector_options* options) {
  nucdet_detector* detector = NULL;
  CHECK_OK(nucdet_detector_open(weights, options, &detector));
  return detector;
}

static nucdet_detector_options on_processor(void) {
  nucdet_detector_options options = {.size = sizeof(nucdet_detector_options)};
  options.device = "cpu";
  return options;
}

static int same(const nucdet_detections* a, const nucdet_detections* b) {
  const size_t count = nucdet_detections_count(a);
  return a != NULL && b != NULL && count == nucdet_detections_count(b) &&
         memcmp(nucdet_detections_nuclei(a), nucdet_detections_nuclei(b), count * sizeof(nucdet_nucleus)) == 0;
}

/* Whether an image gives the same bits. */
static int finds(const nucdet_detector* detector, const nucdet_image* image, const nucdet_detections* wanted) {
  nucdet_detections* found = NULL;
  const int right = nucdet_detect(detector, image, NULL, NULL, &found) == NUCDET_OK && same(found, wanted);
  nucdet_detections_free(found);
  return right;
}

static void test_about(const char* version) {
  const char* const set = nucdet_instruction_set();
  CHECK(strcmp(nucdet_version(), version) == 0);
  CHECK(strcmp(set, "portable") == 0 || strcmp(set, "avx2") == 0 || strcmp(set, "avx512") == 0);
  CHECK(nucdet_openslide_version() == NULL || nucdet_openslide_version()[0] != '\0');
  CHECK(nucdet_cuda_devices() >= 0);
  CHECK(strcmp(nucdet_status_name(NUCDET_CANCELLED), "cancelled") == 0);
  CHECK(strcmp(nucdet_status_name(-1), "no status of nucdet") == 0);
  CHECK(sizeof(nucdet_nucleus) == 32 && sizeof(nucdet_pair) == 24 && sizeof(nucdet_score) == 64);
}

static void test_layouts(const nucdet_detector* detector, const nucdet_detections* wanted) {
  static uint8_t bytes[VALUES * 3];
  static uint16_t words[VALUES + 1];
  static float floats[VALUES];
  nucdet_image image = image_of(bytes, NUCDET_UINT8);
  int i, y, x, c;
  for (i = 0; i < VALUES; ++i) bytes[i / 3 * 3 + 2 - i % 3] = tissue[i]; /* blue first */
  image.order = NUCDET_BGR;
  CHECK(finds(detector, &image, wanted));

  image.order = NUCDET_RGB; /* the same memory, from red on backwards */
  image.pixels = bytes + 2, image.channel_stride = -1;
  CHECK(finds(detector, &image, wanted));

  image = image_of(bytes, NUCDET_UINT8); /* with alpha */
  for (i = 0; i < VALUES; ++i) bytes[i / 3 * 4 + i % 3] = tissue[i], bytes[i / 3 * 4 + 3] = 77;
  image.channels = 4;
  CHECK(finds(detector, &image, wanted));
  image.channels = 3, image.pixel_stride = 4; /* the same, as three of four */
  CHECK(finds(detector, &image, wanted));

  image = image_of(bytes, NUCDET_UINT8); /* planes */
  for (i = 0; i < VALUES; ++i) bytes[i % 3 * HEIGHT * WIDTH + i / 3] = tissue[i];
  image.pixel_stride = 1, image.channel_stride = HEIGHT * WIDTH;
  CHECK(finds(detector, &image, wanted));

  image = image_of(bytes, NUCDET_UINT8); /* with something after each row, and from the last row up */
  for (y = 0; y < HEIGHT; ++y) memcpy(bytes + (HEIGHT - 1 - y) * (WIDTH * 3 + 5), tissue + y * WIDTH * 3, WIDTH * 3);
  image.row_stride = -(WIDTH * 3 + 5), image.pixels = bytes + (HEIGHT - 1) * (WIDTH * 3 + 5);
  CHECK(finds(detector, &image, wanted));

  for (i = 0; i < VALUES; ++i) words[i] = (uint16_t)(tissue[i] * 257), floats[i] = (float)tissue[i] / 255.0f;
  image = image_of(words, NUCDET_UINT16);
  CHECK(finds(detector, &image, wanted));
  memmove((char*)words + 1, words, VALUES * sizeof(uint16_t)); /* at an odd address */
  image.pixels = (char*)words + 1;
  CHECK(finds(detector, &image, wanted));

  image = image_of(floats, NUCDET_FLOAT32);
  CHECK(finds(detector, &image, wanted));
  image.pixels = floats + 2, image.channel_stride = -(int64_t)sizeof(float), image.order = NUCDET_BGR;
  for (i = 0; i < VALUES; ++i) floats[i] = (float)tissue[i] / 255.0f;
  CHECK(finds(detector, &image, wanted)); /* blue first, of what lies the other way round */

  for (y = 0; y < HEIGHT; ++y) /* grey is grey, in one channel and in three */
    for (x = 0; x < WIDTH; ++x)
      for (c = 0; c < 3; ++c) bytes[(y * WIDTH + x) * 3 + c] = tissue[(y * WIDTH + x) * 3];
  {
    nucdet_detections* grey = NULL;
    image = image_of(bytes, NUCDET_UINT8);
    CHECK_OK(nucdet_detect(detector, &image, NULL, NULL, &grey));
    image.channels = 1, image.pixel_stride = 3;
    CHECK(finds(detector, &image, grey));
    nucdet_detections_free(grey);
  }
}

static void test_bad_images(const nucdet_detector* detector) {
  static float floats[VALUES];
  static unsigned char later[sizeof(nucdet_image) + 8];
  nucdet_detections* found = NULL;
  const nucdet_image good = image_of(tissue, NUCDET_UINT8);
  nucdet_image image = good;
  int i;
#define CHECK_BAD(change, status, text)                                           \
  image = good;                                                                   \
  change;                                                                         \
  CHECK_FAILS(nucdet_detect(detector, &image, NULL, NULL, &found), status, text); \
  CHECK(found == NULL)
  CHECK_BAD(image.pixels = NULL, NUCDET_BAD_ARGUMENT, "pixels is null");
  CHECK_BAD(image.size = 0, NUCDET_BAD_ARGUMENT, "its size is 0, wanted sizeof(nucdet_image)");
  CHECK_BAD(image.size = SIZE_MAX, NUCDET_BAD_ARGUMENT, "wanted sizeof");
  CHECK_BAD(image.height = 0, NUCDET_BAD_SHAPE, "0 rows");
  CHECK_BAD(image.width = -5, NUCDET_BAD_SHAPE, "-5 pixels");
  CHECK_BAD(image.height = INT64_MAX, NUCDET_BAD_SHAPE, "in all");
  CHECK_BAD(image.channels = 2, NUCDET_BAD_SHAPE, "2 channels, wanted 1, 3 or 4");
  CHECK_BAD(image.type = 3, NUCDET_BAD_ARGUMENT, "type is 3");
  CHECK_BAD(image.order = -1, NUCDET_BAD_ARGUMENT, "order is -1");
  CHECK_BAD(image.reserved = 1, NUCDET_BAD_ARGUMENT, "reserved");
  CHECK_BAD(image.row_stride = INT64_MIN, NUCDET_BAD_SHAPE, "beyond all memory");
  CHECK_BAD(image.pixel_stride = INT64_MAX, NUCDET_BAD_SHAPE, "beyond all memory");
  CHECK_BAD(image.channel_stride = INT64_MIN, NUCDET_BAD_SHAPE, "beyond all memory");
  CHECK_BAD(image.um_per_pixel = 5, NUCDET_BAD_ARGUMENT, "um_per_pixel is 5, wanted 0.1 to 1.5");
  CHECK_BAD(image.um_per_pixel = -0.25, NUCDET_BAD_ARGUMENT, "um_per_pixel");
  CHECK_BAD(image.um_per_pixel = NAN, NUCDET_BAD_ARGUMENT, "um_per_pixel is nan");
  for (i = 0; i < VALUES; ++i) floats[i] = 0.5f;
  floats[VALUES / 2] = NAN;
  CHECK_BAD((image.pixels = floats, image.type = NUCDET_FLOAT32), NUCDET_BAD_ARGUMENT, "not a number");
  floats[VALUES / 2] = 255;
  CHECK_BAD((image.pixels = floats, image.type = NUCDET_FLOAT32), NUCDET_BAD_ARGUMENT, "wanted [0, 1]");
  CHECK_FAILS(nucdet_detect(NULL, &good, NULL, NULL, &found), NUCDET_BAD_ARGUMENT, "detector is null");
  CHECK_FAILS(nucdet_detect(detector, NULL, NULL, NULL, &found), NUCDET_BAD_ARGUMENT, "image is null");
  CHECK_FAILS(nucdet_detect(detector, &good, NULL, NULL, NULL), NUCDET_BAD_ARGUMENT, "result is null");
  CHECK_FAILS(nucdet_detect_slide(detector, NULL, NULL, NULL, NULL, &found), NUCDET_BAD_ARGUMENT, "path is null");
  CHECK_FAILS(nucdet_detect_slide(detector, "no such slide.svs", NULL, NULL, NULL, &found), NUCDET_BAD_FILE,
              "no such slide.svs");
  /* A struct of a later version. */
  memcpy(later, &good, sizeof good);
  ((nucdet_image*)(void*)later)->size = sizeof later;
  CHECK_OK(nucdet_detect(detector, (nucdet_image*)(void*)later, NULL, NULL, &found));
  nucdet_detections_free(found);
  found = NULL;
  later[sizeof later - 1] = 1;
  CHECK_FAILS(nucdet_detect(detector, (nucdet_image*)(void*)later, NULL, NULL, &found), NUCDET_BAD_ARGUMENT,
              "does not know");
  /* Null is empty, and can be freed. */
  CHECK(nucdet_detections_count(NULL) == 0 && nucdet_detections_nuclei(NULL) == NULL);
  CHECK(nucdet_detections_um_per_pixel(NULL) == 0);
  CHECK(nucdet_detector_class_count(NULL) == 0 && nucdet_detector_class_name(NULL, 0) == NULL);
  CHECK(nucdet_detector_device(NULL) == NULL);
  nucdet_detections_free(NULL), nucdet_detector_free(NULL), nucdet_matching_free(NULL);
}

static unsigned char* content_of(const char* path, size_t* bytes) {
  FILE* const file = fopen(path, "rb");
  unsigned char* content;
  long length;
  if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (length = ftell(file)) < 0) exit(2);
  rewind(file);
  content = malloc((size_t)length);
  if (content == NULL || fread(content, 1, (size_t)length, file) != (size_t)length) exit(2);
  fclose(file);
  *bytes = (size_t)length;
  return content;
}

static void test_weights(const char* path, const nucdet_detections* wanted) {
  static const unsigned char nan_bytes[4] = {0, 0, 0xC0, 0x7F};
  size_t bytes, cut[6], i;
  unsigned char* const content = content_of(path, &bytes);
  const nucdet_image image = image_of(tissue, NUCDET_UINT8);
  nucdet_detector_options options = on_processor();
  nucdet_detector *detector = NULL, *none = NULL;
  CHECK_OK(nucdet_detector_from_memory(content, bytes, &options, &detector));
  for (i = 0; i < 6; ++i) { /* a copy that the detector must not need */
    cut[i] = i < 3 ? i * 8 : i == 3 ? 200 : i == 4 ? bytes / 2 : bytes - 1;
    CHECK_FAILS(nucdet_detector_from_memory(content, cut[i], &options, &none), NUCDET_BAD_FILE, "weights in memory");
  }
  memcpy(content + bytes - 4, nan_bytes, 4);
  CHECK_FAILS(nucdet_detector_from_memory(content, bytes, &options, &none), NUCDET_BAD_FILE, "wanted finite numbers");
  memset(content, 0xFF, bytes);
  CHECK(finds(detector, &image, wanted));
  CHECK_FAILS(nucdet_detector_from_memory(content, bytes, &options, &none), NUCDET_BAD_FILE, "header");
  free(content);
  nucdet_detector_free(detector);
  CHECK_FAILS(nucdet_detector_from_memory(NULL, 10, NULL, &none), NUCDET_BAD_ARGUMENT, "weights is null");
  CHECK_FAILS(nucdet_detector_open(NULL, NULL, &none), NUCDET_BAD_ARGUMENT, "path is null");
  CHECK_FAILS(nucdet_detector_open(path, NULL, NULL), NUCDET_BAD_ARGUMENT, "result is null");
  CHECK_FAILS(nucdet_detector_open("no such file", NULL, &none), NUCDET_BAD_FILE, "no such file");
  CHECK(none == NULL);
}

static void test_options(const char* path, const nucdet_detections* wanted) {
  const nucdet_image image = image_of(tissue, NUCDET_UINT8);
  const double half = 0.5, far_off = -1, not_a_number = NAN;
  nucdet_detector_options options = on_processor();
  nucdet_detector *detector, *none = NULL;
  nucdet_detections *found = NULL, *tiled = NULL;
  size_t i;
#define CHECK_REFUSED(change, status, text) \
  options = on_processor();                 \
  change;                                   \
  CHECK_FAILS(nucdet_detector_open(path, &options, &none), status, text)
  CHECK_REFUSED(options.size = 3, NUCDET_BAD_ARGUMENT, "its size is 3");
  CHECK_REFUSED(options.device = "gpu", NUCDET_BAD_ARGUMENT, "wanted auto, cpu, cuda or cuda:N");
  CHECK_REFUSED(options.device = "cuda:63", NUCDET_GPU_FAILED, "device cuda:63");
  CHECK_REFUSED(options.precision = "fp8", NUCDET_BAD_ARGUMENT, "fp8");
  CHECK_REFUSED(options.precision = "bf16", NUCDET_BAD_ARGUMENT, "computes in fp32");
  CHECK_REFUSED(options.threads = -1, NUCDET_BAD_ARGUMENT, "threads is -1");
  CHECK_REFUSED(options.tile = -1, NUCDET_BAD_ARGUMENT, "tile is -1");
  CHECK_REFUSED(options.tile = 17, NUCDET_BAD_ARGUMENT, "17");
  CHECK_REFUSED(options.average = 3, NUCDET_BAD_ARGUMENT, "3, must be 1 or 8");
  CHECK_REFUSED(options.threshold = &far_off, NUCDET_BAD_ARGUMENT, "threshold is -1");
  CHECK_REFUSED(options.threshold = &not_a_number, NUCDET_BAD_ARGUMENT, "threshold is nan");
  CHECK_REFUSED(options.xi = &far_off, NUCDET_BAD_ARGUMENT, "xi is -1");
  CHECK(none == NULL);

  options = on_processor(), options.threads = 3; /* threads change nothing */
  detector = opened(path, &options);
  CHECK(strcmp(nucdet_detector_device(detector), "cpu") == 0);
  CHECK(finds(detector, &image, wanted));
  nucdet_detector_free(detector);

  options = on_processor(), options.xi = &half; /* half of the highest */
  detector = opened(path, &options);
  CHECK_OK(nucdet_detect(detector, &image, NULL, NULL, &found));
  CHECK(nucdet_detections_count(found) > 0 && nucdet_detections_count(found) < nucdet_detections_count(wanted));
  for (i = 0; i < nucdet_detections_count(found); ++i) CHECK(nucdet_detections_nuclei(found)[i].score > 0);
  nucdet_detections_free(found), nucdet_detector_free(detector);

  options = on_processor(), options.exact = 1; /* plain sums: tiles change nothing */
  detector = opened(path, &options);
  CHECK_OK(nucdet_detect(detector, &image, NULL, NULL, &found));
  nucdet_detector_free(detector);
  options.tile = 32;
  detector = opened(path, &options);
  CHECK_OK(nucdet_detect(detector, &image, NULL, NULL, &tiled));
  CHECK(same(found, tiled));
  nucdet_detections_free(found), nucdet_detections_free(tiled), nucdet_detector_free(detector);

  options = on_processor(), options.average = 8;
  detector = opened(path, &options);
  CHECK(!finds(detector, &image, wanted));
  nucdet_detector_free(detector);
}

struct told {
  int64_t calls, last, all, stop_at;
};

static int on_progress(void* user, int64_t done, int64_t all) {
  struct told* const told = user;
  ++told->calls, told->last = done, told->all = all;
  return done == told->stop_at;
}

static void test_progress(const char* path) {
  const nucdet_image image = image_of(tissue, NUCDET_UINT8);
  nucdet_detector_options options = on_processor();
  nucdet_detections* found = NULL;
  nucdet_detector* detector;
  struct told told = {0, 0, 0, -1};
  options.tile = 32;
  detector = opened(path, &options);
  CHECK_OK(nucdet_detect(detector, &image, on_progress, &told, &found));
  CHECK(told.calls == 7 && told.last == 6 && told.all == 6);
  nucdet_detections_free(found);
  found = NULL, told.calls = 0, told.stop_at = 2;
  CHECK_FAILS(nucdet_detect(detector, &image, on_progress, &told, &found), NUCDET_CANCELLED, "after 2 of 6");
  CHECK(found == NULL && told.calls == 3);
  nucdet_detector_free(detector);
}

struct shared {
  const nucdet_detector* detector;
  const nucdet_detections* wanted;
  int number, right;
};

static void* in_thread(void* argument) {
  struct shared* const shared = argument;
  const nucdet_image image = image_of(tissue, NUCDET_UINT8);
  nucdet_image bad = image;
  nucdet_detections* found = NULL;
  char text[40];
  int i;
  shared->right = nucdet_last_error()[0] == '\0';
  bad.channels = 20 + shared->number;
  snprintf(text, sizeof text, ": %d channels", (int)bad.channels);
  for (i = 0; i < 25; ++i) {
    shared->right &= nucdet_detect(shared->detector, &bad, NULL, NULL, &found) == NUCDET_BAD_SHAPE;
    shared->right &= finds(shared->detector, &image, shared->wanted);
    shared->right &= strstr(nucdet_last_error(), text) != NULL; /* this thread's own */
  }
  return NULL;
}

static void test_threads(const nucdet_detector* detector, const nucdet_detections* wanted) {
  pthread_t threads[4];
  struct shared shared[4];
  int i;
  for (i = 0; i < 4; ++i) {
    shared[i].detector = detector, shared[i].wanted = wanted, shared[i].number = i, shared[i].right = 0;
    if (pthread_create(&threads[i], NULL, in_thread, &shared[i]) != 0) exit(2);
  }
  for (i = 0; i < 4; ++i) {
    pthread_join(threads[i], NULL);
    CHECK(shared[i].right);
  }
}

static void test_matching(const nucdet_detections* found) {
  static const double predicted[] = {0, 0, 10, 0, 100, 100}, truth[] = {3, 4, 300, 300};
  const nucdet_points p = {predicted, 3, 0}, t = {truth, 2, 0}, none = {NULL, 0, 0}, lost = {NULL, 1, 0};
  const nucdet_points narrow = {predicted, 2, 8}, odd = {predicted, 2, 20};
  const size_t count = nucdet_detections_count(found);
  nucdet_points own = {NULL, 0, sizeof(nucdet_nucleus)};
  nucdet_matching* matching = NULL;
  nucdet_score score;
  CHECK_OK(nucdet_match(&p, &t, 16, &matching));
  CHECK(nucdet_matching_count(matching) == 1);
  CHECK(nucdet_matching_pairs(matching)[0].predicted == 0 && nucdet_matching_pairs(matching)[0].truth == 0);
  CHECK(nucdet_matching_pairs(matching)[0].distance == 5);
  CHECK_OK(nucdet_matching_score(matching, &score));
  CHECK(score.hits == 1 && score.false_alarms == 2 && score.misses == 1);
  CHECK(score.precision == 1 / 3.0 && score.recall == 0.5 && score.f1 == 0.4);
  CHECK(score.distance_mean == 5 && score.distance_deviation == 0);
  nucdet_matching_free(matching);

  CHECK_OK(nucdet_match(&none, &none, 16, &matching));
  CHECK_OK(nucdet_matching_score(matching, &score));
  CHECK(nucdet_matching_count(matching) == 0 && nucdet_matching_pairs(matching) == NULL);
  CHECK(score.f1 == 1 && isnan(score.distance_mean));
  nucdet_matching_free(matching);

  own.xy = &nucdet_detections_nuclei(found)[0].x, own.count = count; /* out of the results, with their stride */
  CHECK_OK(nucdet_match(&own, &own, 16, &matching));
  CHECK_OK(nucdet_matching_score(matching, &score));
  CHECK(score.hits == (int64_t)count && score.distance_mean == 0);
  nucdet_matching_free(matching);

  matching = NULL;
  CHECK_FAILS(nucdet_match(&p, &t, 0, &matching), NUCDET_BAD_ARGUMENT, "gate is 0");
  CHECK_FAILS(nucdet_match(&p, &t, NAN, &matching), NUCDET_BAD_ARGUMENT, "gate");
  CHECK_FAILS(nucdet_match(&lost, &t, 16, &matching), NUCDET_BAD_ARGUMENT, "predicted: xy is null");
  CHECK_FAILS(nucdet_match(&t, &narrow, 16, &matching), NUCDET_BAD_ARGUMENT, "truth: 2 points, 8 bytes");
  CHECK_FAILS(nucdet_match(&t, &odd, 16, &matching), NUCDET_BAD_ARGUMENT, "20 bytes");
  CHECK_FAILS(nucdet_match(NULL, &t, 16, &matching), NUCDET_BAD_ARGUMENT, "predicted is null");
  CHECK_FAILS(nucdet_match(&p, &t, 16, NULL), NUCDET_BAD_ARGUMENT, "result is null");
  CHECK_FAILS(nucdet_matching_score(NULL, &score), NUCDET_BAD_ARGUMENT, "matching is null");
  CHECK(matching == NULL && nucdet_matching_count(NULL) == 0);
}

static long resident_kb(void) {
  long pages = 0;
  FILE* const file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) exit(2);
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void test_memory(const char* path, int repeats) {
  nucdet_detector_options options = on_processor();
  nucdet_image image = image_of(tissue, NUCDET_UINT8);
  nucdet_detector* detector;
  long before = 0, after;
  int i;
  options.threads = 1;
  detector = opened(path, &options);
  image.row_stride = WIDTH * 3;
  for (i = 0; i < repeats; ++i) {
    nucdet_detections* found = NULL;
    image.height = 20 + i % 5, image.width = 24 + i % 7;
    CHECK(nucdet_detect(detector, &image, NULL, NULL, &found) == NUCDET_OK);
    nucdet_detections_free(found);
    image.channels = 2;
    CHECK(nucdet_detect(detector, &image, NULL, NULL, &found) == NUCDET_BAD_SHAPE);
    image.channels = 3;
    if (i % 100 == 0) nucdet_detector_free(detector), detector = opened(path, &options);
    if (i == repeats / 10) before = resident_kb();
  }
  after = resident_kb();
  nucdet_detector_free(detector);
  printf("%d detections: %ld KB resident after a tenth of them, %ld KB after all\n", repeats, before, after);
  CHECK(after - before < 1024);
}

int main(int argc, char** argv) {
  nucdet_detector_options options = on_processor();
  nucdet_detections* wanted = NULL;
  nucdet_detector* detector;
  nucdet_image image = image_of(tissue, NUCDET_UINT8);
  if (argc != 4) return 2;
  draw_tissue(tissue);
  CHECK(nucdet_last_error()[0] == '\0');
  test_about(argv[2]);
  detector = opened(argv[1], &options);
  CHECK_OK(nucdet_detect(detector, &image, NULL, NULL, &wanted));
  CHECK(nucdet_detections_count(wanted) > 5);
  CHECK(nucdet_detections_um_per_pixel(wanted) == 0.25);
  CHECK(nucdet_detector_class_count(detector) == 0 && nucdet_detector_class_name(detector, 0) == NULL);
  image.um_per_pixel = 0.5;
  CHECK(!finds(detector, &image, wanted));
  test_layouts(detector, wanted);
  test_bad_images(detector);
  test_weights(argv[1], wanted);
  test_options(argv[1], wanted);
  test_progress(argv[1]);
  test_threads(detector, wanted);
  test_matching(wanted);
  nucdet_detector_free(detector); /* what was found does not need it */
  CHECK(nucdet_detections_nuclei(wanted)[0].score > 0);
  nucdet_detections_free(wanted);
  if (atoi(argv[3]) > 0) test_memory(argv[1], atoi(argv[3]));
  return failures == 0 ? 0 : 1;
}
