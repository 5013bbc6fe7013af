// The C interface by its header alone, from several threads: they share a detector, have their own, look at images and
// at a slide, match, fail, and are cancelled by another thread. Each result is that of one thread alone. A test of
// every build; scripts/check_threads.sh runs it with all of the library under ThreadSanitizer. usage: c_interface
// WEIGHTS SLIDE [ROUNDS]      of capi_peer and make_giant_slide; ROUNDS: images for each thread
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "nucdet.h"

namespace {

using Detector = std::unique_ptr<nucdet_detector, decltype(&nucdet_detector_free)>;
using Detections = std::unique_ptr<nucdet_detections, decltype(&nucdet_detections_free)>;
using Matching = std::unique_ptr<nucdet_matching, decltype(&nucdet_matching_free)>;

std::atomic<int> wrong{0};

void check(bool right, const char* what) {
  if (right) return;
  ++wrong;
  std::fprintf(stderr, "FAILED: %s; last error: %s\n", what, nucdet_last_error());
}

struct Picture {
  std::int64_t height, width;
  std::vector<std::uint8_t> rgb{};
};

/// Pink with purple discs.
Picture tissue(std::int64_t height, std::int64_t width) {
  constexpr int kPink[] = {228, 170, 205}, kPurple[] = {95, 60, 140};
  Picture picture{height, width};
  std::uint32_t random = 1;
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t dx = x % 24 - 12, dy = y % 24 - 12;
      for (int c = 0; c < 3; ++c) {
        random = random * 1664525u + 1013904223u;
        const int grain = static_cast<int>(random >> 28);
        picture.rgb.push_back(static_cast<std::uint8_t>((dx * dx + dy * dy <= 36 ? kPurple[c] : kPink[c]) + grain));
      }
    }
  return picture;
}

nucdet_image image_of(const Picture& picture) {
  nucdet_image image{};
  image.size = sizeof image, image.pixels = picture.rgb.data();
  image.height = picture.height, image.width = picture.width, image.channels = 3, image.type = NUCDET_UINT8;
  return image;
}

Detector opened(const std::string& weights, std::int32_t threads) {
  nucdet_detector_options options{};
  options.size = sizeof options, options.device = "cpu", options.threads = threads, options.tile = 128;
  nucdet_detector* made = nullptr;
  check(nucdet_detector_from_memory(weights.data(), weights.size(), &options, &made) == NUCDET_OK, "weights in memory");
  return {made, nucdet_detector_free};
}

Detections found_in(const nucdet_detector* by, const Picture& picture) {
  const nucdet_image image = image_of(picture);
  nucdet_detections* found = nullptr;
  check(nucdet_detect(by, &image, nullptr, nullptr, &found) == NUCDET_OK, "an image");
  return {found, nucdet_detections_free};
}

nucdet_slide_options slide_options(bool everywhere) {
  nucdet_slide_options options{};
  options.size = sizeof options, options.everywhere = everywhere ? 1 : 0;
  return options;
}

Detections found_in_slide(const nucdet_detector* by, const char* slide, bool everywhere) {
  const nucdet_slide_options options = slide_options(everywhere);
  nucdet_detections* found = nullptr;
  check(nucdet_detect_slide(by, slide, &options, nullptr, nullptr, &found) == NUCDET_OK, "a slide");
  return {found, nucdet_detections_free};
}

bool same(const Detections& a, const Detections& b) {
  const std::size_t count = nucdet_detections_count(a.get());
  if (count != nucdet_detections_count(b.get())) return false;
  const nucdet_nucleus *const of_a = nucdet_detections_nuclei(a.get()), *const of_b = nucdet_detections_nuclei(b.get());
  return count == 0 || std::memcmp(of_a, of_b, count * sizeof *of_a) == 0;
}

/// What all threads look at, and what one alone found there.
struct Work {
  std::string weights;
  const char* slide;
  int rounds;
  Detector shared;
  std::array<Picture, 3> pictures{tissue(64, 80), tissue(150, 40), tissue(140, 300)};
  std::vector<Detections> of_pictures{}, of_slide{};  ///< of the slide: where there is tissue, everywhere
};

/// A text of an error is of the thread whose call failed.
void fail_alone(const nucdet_detector* by, const Picture& picture, int number) {
  nucdet_image bad = image_of(picture);
  bad.channels = 20 + number;
  nucdet_detections* none = nullptr;
  check(nucdet_detect(by, &bad, nullptr, nullptr, &none) == NUCDET_BAD_SHAPE && none == nullptr, "a bad image");
  const std::string text = ": " + std::to_string(bad.channels) + " channels";
  check(std::strstr(nucdet_last_error(), text.c_str()) != nullptr, "this thread's own text");
}

void match_with_itself(const Detections& found) {
  const std::size_t count = nucdet_detections_count(found.get());
  const nucdet_points points{count == 0 ? nullptr : &nucdet_detections_nuclei(found.get())->x, count,
                             sizeof(nucdet_nucleus)};
  nucdet_matching* made = nullptr;
  check(nucdet_match(&points, &points, 16, &made) == NUCDET_OK, "a matching");
  const Matching matching(made, nucdet_matching_free);
  nucdet_score score{};
  check(nucdet_matching_score(matching.get(), &score) == NUCDET_OK && score.hits == static_cast<std::int64_t>(count),
        "a score");
}

/// One thread: half of them by the detector of all. What is found in the slide is left to the thread that waits.
void look(const Work& work, int number, Detections& of_slide) {
  check(nucdet_version()[0] != '\0' && nucdet_instruction_set()[0] != '\0', "what there is");
  check(nucdet_openslide_version() == nullptr || nucdet_openslide_version()[0] != '\0', "OpenSlide's version");
  const Detector own = opened(work.weights, 1);
  const nucdet_detector* const by = number % 2 == 0 ? work.shared.get() : own.get();
  check(std::strcmp(nucdet_detector_device(by), "cpu") == 0 && nucdet_detector_class_count(by) == 0, "a detector");
  for (int round = 0; round < work.rounds; ++round) {
    const std::size_t k = static_cast<std::size_t>(round + number) % work.pictures.size();
    const Detections found = found_in(by, work.pictures[k]);
    check(same(found, work.of_pictures[k]), "the nuclei of an image");
    match_with_itself(found);
    fail_alone(work.shared.get(), work.pictures[k], number);
  }
  of_slide = found_in_slide(by, work.slide, number >= 2);
}

/// Where a call waits, within itself, for another thread to cancel it.
class Meeting {
 public:
  static int progress(void* user, std::int64_t done, std::int64_t) {
    return done == 1 ? static_cast<Meeting*>(user)->wait() : 0;
  }
  /// A call that ended before it came here is told of, not waited for.
  void cancel() {
    std::unique_lock lock(mutex_);
    check(changed_.wait_for(lock, std::chrono::minutes(5), [this] { return inside_; }),
          "a call comes to its first tile");
    cancelled_ = true;
    changed_.notify_all();
  }

 private:
  int wait() {
    std::unique_lock lock(mutex_);
    inside_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return cancelled_; });
    return 1;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool inside_ = false, cancelled_ = false;
};

void end_by_another(nucdet_status status, const nucdet_detections* found) {
  check(status == NUCDET_CANCELLED && found == nullptr, "a call that another thread cancels");
  check(std::strstr(nucdet_last_error(), "after 1 of") != nullptr, "after which tile it was cancelled");
}

std::string content_of(const char* file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: c_interface WEIGHTS SLIDE [ROUNDS]\n");
    return 2;
  }
  const std::string weights = content_of(argv[1]);
  Work work{
      .weights = weights, .slide = argv[2], .rounds = argc > 3 ? std::atoi(argv[3]) : 6, .shared = opened(weights, 2)};
  for (const Picture& picture : work.pictures) {
    work.of_pictures.push_back(found_in(work.shared.get(), picture));
    check(nucdet_detections_count(work.of_pictures.back().get()) > 0, "an image has nuclei");
  }
  for (const bool everywhere : {false, true})
    work.of_slide.push_back(found_in_slide(work.shared.get(), work.slide, everywhere));
  check(nucdet_detections_count(work.of_slide[1].get()) > 0, "the slide has nuclei");
  if (wrong != 0) return 1;  // nobody would come to the meetings

  std::vector<Detections> of_slide;
  for (int t = 0; t < 4; ++t) of_slide.emplace_back(nullptr, nucdet_detections_free);
  Meeting in_slide, in_image;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back([&, t] { look(work, t, of_slide[static_cast<std::size_t>(t)]); });
  threads.emplace_back([&] {
    const nucdet_slide_options options = slide_options(true);
    nucdet_detections* none = nullptr;
    end_by_another(nucdet_detect_slide(work.shared.get(), work.slide, &options, Meeting::progress, &in_slide, &none),
                   none);
  });
  threads.emplace_back([&] {
    const nucdet_image image = image_of(work.pictures[2]);
    nucdet_detections* none = nullptr;
    end_by_another(nucdet_detect(work.shared.get(), &image, Meeting::progress, &in_image, &none), none);
  });
  in_slide.cancel(), in_image.cancel();
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < of_slide.size(); ++t)
    check(same(of_slide[t], work.of_slide[t >= 2 ? 1 : 0]), "the nuclei of a slide");
  std::printf("%d images and 5 slides by 6 threads, %d wrong results\n", 4 * work.rounds + 1, wrong.load());
  return wrong == 0 ? 0 : 1;
}
