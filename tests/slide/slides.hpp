#pragma once
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>
#include <vector>

#include "nucdet/slide/open.hpp"

#include "io/picture_files.hpp"

/// What the tests of all slide readers ask.
namespace slides {

using namespace nucdet;
using slide::Rectangle;
using slide::Slide;
using Pixels = std::vector<std::uint8_t>;

inline Pixels read(const Slide& slide, Index level, const Rectangle& r) {
  Pixels rgb(static_cast<std::size_t>(r.width * r.height * 3), std::uint8_t{7});  // what is not written shows
  slide.read(level, r, rgb.data());
  return rgb;
}

inline Pixels part_of(const Pixels& all, const Rectangle& whole, const Rectangle& part) {
  Pixels rgb;
  for (Index y = part.y; y < part.y + part.height; ++y) {
    const auto row = all.begin() + ((y - whole.y) * whole.width + part.x - whole.x) * 3;
    rgb.insert(rgb.end(), row, row + part.width * 3);
  }
  return rgb;
}

inline int largest_difference(const Pixels& a, const Pixels& b) {
  int most = a.size() == b.size() ? 0 : 999;
  for (std::size_t i = 0; most < 999 && i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

/// How many of some rectangles of a level, drawn at random, do not show what `all`, read at once, shows there. They
/// are read by four threads at a time.
inline int differing_parts(const Slide& slide, Index level, const Rectangle& whole, const Pixels& all, int count) {
  constexpr int kThreads = 4;
  std::vector<int> wrong(kThreads);
  const auto run = [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(thread + 1));
    const auto draw = [&](Index below) { return static_cast<Index>(random() % static_cast<unsigned>(below)); };
    for (int i = 0; i < count; ++i) {
      const Index width = 1 + draw(std::min<Index>(whole.width, 300)),
                  height = 1 + draw(std::min<Index>(whole.height, 300));
      const Rectangle part{whole.x + draw(whole.width - width + 1), whole.y + draw(whole.height - height + 1), width,
                           height};
      wrong[static_cast<std::size_t>(thread)] += read(slide, level, part) != part_of(all, whole, part) ? 1 : 0;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back(run, t);
  for (std::thread& t : threads) t.join();
  return wrong[0] + wrong[1] + wrong[2] + wrong[3];
}

/// The same for a level read whole, with a border of white around it.
inline int differing_parts(const Slide& slide, Index level, int count) {
  const slide::Level& of = slide.levels()[static_cast<std::size_t>(level)];
  const Rectangle whole{-20, -30, of.width + 50, of.height + 70};
  const Pixels all = read(slide, level, whole);
  int wrong = differing_parts(slide, level, whole, all, count);
  for (Index y = 0; y < whole.height; ++y)
    for (Index x = 0; x < whole.width; ++x) {
      const bool inside = x >= 20 && x < 20 + of.width && y >= 30 && y < 30 + of.height;
      const auto* p = all.data() + (y * whole.width + x) * 3;
      if (!inside && (p[0] != 255 || p[1] != 255 || p[2] != 255)) ++wrong;
    }
  return wrong;
}

/// The level of a slide against what it should show, of 255: the largest difference.
inline double difference(const Slide& slide, Index level, const pictures::Samples& expected) {
  return 255 * pictures::difference(slide.read(level, {0, 0, slide.levels()[static_cast<std::size_t>(level)].width,
                                                       slide.levels()[static_cast<std::size_t>(level)].height}),
                                    expected);
}

/// A slide of NUCDET_DATA; empty, and said aloud, where it is not.
inline std::filesystem::path real_slide(const std::string& name) {
  const char* named = std::getenv("NUCDET_DATA");
  const std::filesystem::path data =
      named != nullptr ? std::filesystem::path(named) : std::filesystem::path(NUCDET_TEST_DIR) / "../../shared/data";
  const std::filesystem::path path = data / "wsi" / name;
  if (std::filesystem::exists(path)) return path;
  std::cout << "SKIPPED: no " << path.string() << " (set NUCDET_DATA)\n";
  return {};
}

}  // namespace slides
