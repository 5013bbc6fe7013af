#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "nucdet/core/error.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/thumbnail.hpp"
#include "nucdet/slide/tissue.hpp"

namespace {

using namespace nucdet;
using slide::Rectangle;

constexpr Index kSide = 40;               // of the rectangles
constexpr Index kMostPixels = 1'000'000;  // of a level that is read whole: any size may be claimed

/// A file in memory with a name, as readers of slides want it.
class NamedBytes {
 public:
  NamedBytes(const std::uint8_t* data, std::size_t size) : file_(memfd_create("fuzz", 0)) {
    if (file_ < 0 || write(file_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  NamedBytes(const NamedBytes&) = delete;
  NamedBytes& operator=(const NamedBytes&) = delete;
  ~NamedBytes() { close(file_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

std::vector<std::uint8_t> read(const slide::Slide& slide, Index level, const Rectangle& r) {
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(3 * r.width * r.height));
  slide.read(level, r, rgb.data());
  return rgb;
}

/// A rectangle shows the same as the part of a larger one, which it is read before.
void check_read(const slide::Slide& slide, Index level, Index x, Index y) try {
  const std::vector<std::uint8_t> part = read(slide, level, {x + 10, y + 10, kSide - 20, 1}),
                                  all = read(slide, level, {x, y, kSide, kSide});
  if (!std::equal(part.begin(), part.end(), all.begin() + 3 * (10 * kSide + 10))) std::abort();
} catch (const IoError&) {}  // a damaged tile, others are read

void check_levels(const slide::Slide& slide) {
  const auto levels = slide.levels();
  if (levels.empty()) std::abort();
  for (const slide::Level& level : levels)
    if (level.width < 1 || level.height < 1 || !(level.downsample_x > 0) || !(level.downsample_y > 0)) std::abort();
  for (const std::size_t i : std::set<std::size_t>{0, levels.size() / 2, levels.size() - 1}) {
    const slide::Level& level = levels[i];
    check_read(slide, static_cast<Index>(i), -20, -20);
    check_read(slide, static_cast<Index>(i), level.width / 2, level.height / 2);
    check_read(slide, static_cast<Index>(i), level.width - 20, level.height - 20);
  }
  const Rectangle b = slide.bounds();
  if (b.x < 0 || b.y < 0 || b.width < 1 || b.height < 1 || b.x + b.width > slide.width() ||
      b.y + b.height > slide.height())
    std::abort();
  if (slide.pixel_size().x < 0 || slide.pixel_size().y < 0) std::abort();
}

void check_tissue(const slide::Slide& slide) {
  const slide::Level& level = slide.levels().back();
  if (level.width > kMostPixels / level.height) return;
  try {
    const io::Picture small = slide::thumbnail(slide, 64);
    if (small.width < 1 || small.height < 1 || small.width > 64 || small.height > 64) std::abort();
    const slide::TissueMask mask = slide::find_tissue(slide, slide.pixel_size().known() ? 0 : 0.5);
    if (mask.cells.size() != static_cast<std::size_t>(mask.width * mask.height)) std::abort();
  } catch (const IoError&) {
  } catch (const ArgumentError&) {}  // cells without number
}

}  // namespace

/// Any bytes, as a slide: levels that are read in rectangles, what is beside them, a thumbnail and where there is
/// tissue; or an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const NamedBytes file(data, size);
  slide::is_slide(file.path());
  try {
    const slide::Slide slide = slide::open_slide(file.path());
    check_levels(slide);
    check_tissue(slide);
    for (const std::string& name : slide.associated()) {
      try {
        slide.read_associated(name);
      } catch (const IoError&) {}
    }
  } catch (const IoError&) {}
  return 0;
}
