#include <cstring>
#include <iostream>

#include "nucdet/core/error.hpp"
#include "nucdet/io/annotation_store.hpp"

/// Our side of test_annotation_store.sh: `write STORE` writes 10,000 nuclei, `read STORE` prints what is in one.
namespace {

using namespace nucdet;

void write(const char* path) {
  io::DetectionReport report{"slide.svs", 1000, 1000};
  report.classes = ClassNames({"tumour", "stroma"});
  for (int i = 0; i < 10000; ++i)
    report.nuclei.push_back({{10 * (i % 100) + 0.25, 10 * (i / 100) + 0.5}, 0.3f, i / 100 % 2, 0.5f});
  io::write_annotation_store(path, report);
}

void read(const char* path) {
  const io::Annotations found = io::read_annotation_store(path);
  for (std::size_t i = 0; i < found.points.size(); ++i)
    std::cout << found.points[i].x << ' ' << found.points[i].y << ' '
              << (found.classes[i].empty() ? "-" : found.classes[i]) << '\n';
  std::cout << "regions " << found.areas.regions.size() << " ignored " << found.areas.ignored.size() << " detections "
            << found.detections << '\n'
            << "(50, 50) counts: " << found.areas.count({50, 50})
            << ", (30, 30) counts: " << found.areas.count({30, 30}) << '\n';
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  try {
    std::strcmp(arguments[1], "write") == 0 ? write(arguments[2]) : read(arguments[2]);
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
