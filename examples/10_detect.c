/* Nuclei of an image by the C interface: C99, the shared library, no C++.
 *
 * 10_detect WEIGHTS IMAGE.ppm [TRUTH_X TRUTH_Y]...: an 8-bit binary PPM of 0.25 um a pixel; true centres are scored.
 *
 * 10_detect WEIGHTS SLIDE: any other name is a whole slide. */
#include <inttypes.h>
#include <nucdet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A binary PPM without comments, or null. */
static unsigned char* read_ppm(const char* path, int64_t* width, int64_t* height) {
  unsigned char* pixels = NULL;
  FILE* file = fopen(path, "rb");
  if (file != NULL && fscanf(file, "P6 %" SCNd64 " %" SCNd64 " 255", width, height) == 2 && fgetc(file) != EOF &&
      *width > 0 && *height > 0 && *width < 20000 && *height < 20000) {
    const size_t bytes = (size_t)(*width * *height * 3);
    pixels = malloc(bytes);
    if (pixels != NULL && fread(pixels, 1, bytes, file) != bytes) free(pixels), pixels = NULL;
  }
  if (file != NULL) fclose(file);
  return pixels;
}

//! [progress]
/* Between tiles: anything but 0 ends the call. */
static int on_tile(void* user, int64_t done, int64_t all) {
  volatile int* stop = user;
  fprintf(stderr, "%" PRId64 " of %" PRId64 " tiles\n", done, all);
  return *stop;
}
//! [progress]

static int fail(const char* what) {
  //! [error]
  fprintf(stderr, "%s: %s\n", what, nucdet_last_error());
  //! [error]
  return 1;
}

/* null if it could not be looked at. */
static nucdet_detections* find_in_image(const nucdet_detector* detector, const char* path, int* stop) {
  int64_t width, height;
  unsigned char* pixels = read_ppm(path, &width, &height);
  if (pixels == NULL) {
    fprintf(stderr, "%s: not an 8-bit binary PPM\n", path);
    return NULL;
  }
  //! [detect]
  nucdet_image image = {
      .size = sizeof image, .pixels = pixels, .height = height, .width = width, .channels = 3, .um_per_pixel = 0.25};
  nucdet_detections* found = NULL;
  if (nucdet_detect(detector, &image, on_tile, stop, &found) != NUCDET_OK) fail(path);
  //! [detect]
  free(pixels);
  return found;
}

static nucdet_detections* find_in_slide(const nucdet_detector* detector, const char* path, int* stop) {
  //! [slide]
  nucdet_slide_options options = {.size = sizeof options, .everywhere = 0};
  nucdet_detections* found = NULL;
  if (nucdet_detect_slide(detector, path, &options, on_tile, stop, &found) != NUCDET_OK) fail(path);
  //! [slide]
  return found;
}

static int score(const nucdet_detections* found, int values, char** texts) {
  const nucdet_nucleus* nuclei = nucdet_detections_nuclei(found);
  const size_t count = nucdet_detections_count(found), true_count = (size_t)values / 2;
  double* true_xy = malloc((true_count + 1) * 2 * sizeof(double));
  if (true_xy == NULL) return 1;
  for (size_t i = 0; i < 2 * true_count; ++i) true_xy[i] = atof(texts[i]);
  //! [score]
  const nucdet_points predicted = {count > 0 ? &nuclei[0].x : NULL, count, sizeof(nucdet_nucleus)};
  const nucdet_points truth = {true_xy, true_count, 0};
  nucdet_matching* matching = NULL;
  nucdet_score score;
  if (nucdet_match(&predicted, &truth, 16, &matching) != NUCDET_OK) {
    free(true_xy);
    return fail("matching");
  }
  nucdet_matching_score(matching, &score);
  fprintf(stderr, "precision %.3f  recall %.3f  F1 %.3f\n", score.precision, score.recall, score.f1);
  nucdet_matching_free(matching);
  //! [score]
  free(true_xy);
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: 10_detect WEIGHTS IMAGE.ppm|SLIDE [TRUTH_X TRUTH_Y]...\n");
    return 2;
  }
  //! [open]
  const double threshold = 0.3;
  nucdet_detector_options options = {.size = sizeof options, .device = "cpu", .threshold = &threshold};
  nucdet_detector* detector = NULL;
  if (nucdet_detector_open(argv[1], &options, &detector) != NUCDET_OK) return fail(argv[1]);
  //! [open]

  int stop = 0;
  const char* ending = strrchr(argv[2], '.');
  nucdet_detections* found = ending != NULL && strcmp(ending, ".ppm") == 0 ? find_in_image(detector, argv[2], &stop)
                                                                           : find_in_slide(detector, argv[2], &stop);
  //! [read]
  const nucdet_nucleus* nuclei = nucdet_detections_nuclei(found);
  for (size_t i = 0; i < nucdet_detections_count(found); ++i)
    printf("%.3f,%.3f,%.4f\n", nuclei[i].x, nuclei[i].y, nuclei[i].score);
  //! [read]
  int failed = found == NULL;
  if (!failed && argc > 3) failed = score(found, argc - 3, argv + 3);

  //! [free]
  nucdet_detections_free(found);
  nucdet_detector_free(detector);
  //! [free]
  return failed;
}
