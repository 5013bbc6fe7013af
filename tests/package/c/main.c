#include <nucdet.h>
#include <stdio.h>

//! [detect]
int print_nuclei(const char* weights, const unsigned char* rgb, int height, int width) {
  nucdet_image image = {.size = sizeof image, .pixels = rgb, .height = height, .width = width, .channels = 3};
  nucdet_detector* detector = NULL;
  nucdet_detections* found = NULL;
  int failed = nucdet_detector_open(weights, NULL, &detector) || nucdet_detect(detector, &image, NULL, NULL, &found);
  if (failed) fprintf(stderr, "%s\n", nucdet_last_error());
  for (size_t i = 0; i < nucdet_detections_count(found); ++i)
    printf("%f %f\n", nucdet_detections_nuclei(found)[i].x, nucdet_detections_nuclei(found)[i].y);
  nucdet_detections_free(found), nucdet_detector_free(detector);
  return failed;
}
//! [detect]

int main(int argc, char** argv) {
  static unsigned char rgb[64 * 64 * 3];
  printf("%s %s\n", nucdet_version(), nucdet_instruction_set());
  return argc == 2 ? print_nuclei(argv[1], rgb, 64, 64) : 2;
}
