#include "openslide_pyramid.hpp"

#include "nucdet/slide/open.hpp"

#ifdef NUCDET_WITH_OPENSLIDE

#include <charconv>
#include <cmath>
#include <functional>
#include <mutex>

#include "io/pixel_size.hpp"
#include "openslide_library.hpp"
#include "read_starts.hpp"
#include "rectangles.hpp"

namespace nucdet::slide::detail {

namespace {

/// Pixels along a side that are asked for at once: 16 MiB of ARGB. OpenSlide cuts from 4096 on, at rounded positions.
constexpr Index kMostAtOnce = 2048;
/// Pixels of a tile: a level of NDPI may be one.
constexpr Index kMostOfTile = Index{1} << 26;

/// Only asked for where the library is there: without it no file has a vendor.
const OpenSlideLibrary& library() {
  const OpenSlideLibrary* const there = openslide_library();
  if (there == nullptr) throw IoError("OpenSlide was not found");
  return *there;
}

/// A slide that OpenSlide has open; closed with its last user.
using Handle = std::shared_ptr<openslide_t>;

std::string error_of(openslide_t* slide) {
  const char* const error = library().get_error(slide);
  return error == nullptr ? "" : error;
}

Handle open_handle(const std::string& where) {
  Handle handle(library().open(where.c_str()), [](openslide_t* s) {
    if (s != nullptr) library().close(s);
  });
  if (!handle) throw IoError(message(where, ": OpenSlide does not know the format, or cannot open the file"));
  if (const std::string error = error_of(handle.get()); !error.empty())
    throw IoError(message(where, ": OpenSlide: ", error));
  return handle;
}

std::string property(openslide_t* slide, const char* name) {
  const char* const value = library().get_property_value(slide, name);
  return value == nullptr ? "" : value;
}

template <class T = double>
std::optional<T> number(openslide_t* slide, const char* name) {
  const std::string text = property(slide, name);
  T value{};
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return {};
  return value;
}

io::PixelSize pixel_size_of(openslide_t* slide) {
  const bool aperio = property(slide, OPENSLIDE_PROPERTY_NAME_VENDOR) == "aperio";
  const auto x = number(slide, OPENSLIDE_PROPERTY_NAME_MPP_X), y = number(slide, OPENSLIDE_PROPERTY_NAME_MPP_Y);
  if (x || y) {
    const io::PixelSize size =
        io::detail::stated_size(x ? *x : *y, y ? *y : *x, aperio ? "Aperio MPP" : "OpenSlide mpp-x");
    if (size.known()) return size;
  }
  const auto power = number(slide, OPENSLIDE_PROPERTY_NAME_OBJECTIVE_POWER);
  if (!power || !(*power > 0)) return {};
  return io::detail::stated_size(10 / *power, 10 / *power, aperio ? "Aperio AppMag" : "OpenSlide objective-power");
}

std::vector<Level> levels_of(openslide_t* slide, const std::string& where) {
  std::vector<Level> levels;
  const std::int32_t count = library().get_level_count(slide);
  for (std::int32_t i = 0; i < count; ++i) {
    std::int64_t width = 0, height = 0;
    library().get_level_dimensions(slide, i, &width, &height);
    if (width < 1 || height < 1) throw IoError(message(where, ": OpenSlide: level ", i, " has no pixels"));
    if (width > kMostLevelSide || height > kMostLevelSide)
      throw IoError(message(where, ": OpenSlide: level ", i, " of ", width, " x ", height, " pixels, at most ",
                            kMostLevelSide, " along a side are read"));
    Level level{.width = width, .height = height};
    if (i > 0) {
      level.downsample_x = static_cast<double>(levels[0].width) / static_cast<double>(width);
      level.downsample_y = static_cast<double>(levels[0].height) / static_cast<double>(height);
    }
    const std::string name = message("openslide.level[", i, "].");
    level.tile_width = number<Index>(slide, (name + "tile-width").c_str()).value_or(0);
    level.tile_height = number<Index>(slide, (name + "tile-height").c_str()).value_or(0);
    if (level.tile_width > 0 && level.tile_height > kMostOfTile / level.tile_width)
      throw IoError(message(where, ": OpenSlide: level ", i, ": tiles of ", level.tile_width, " x ", level.tile_height,
                            " pixels, at most ", kMostOfTile, " are decoded at once"));
    levels.push_back(level);
  }
  if (levels.empty()) throw IoError(message(where, ": OpenSlide finds no level"));
  return levels;
}

Rectangle bounds_of(openslide_t* slide, const Level& level) {
  const Rectangle all{0, 0, level.width, level.height};
  const auto x = number<Index>(slide, OPENSLIDE_PROPERTY_NAME_BOUNDS_X),
             y = number<Index>(slide, OPENSLIDE_PROPERTY_NAME_BOUNDS_Y),
             width = number<Index>(slide, OPENSLIDE_PROPERTY_NAME_BOUNDS_WIDTH),
             height = number<Index>(slide, OPENSLIDE_PROPERTY_NAME_BOUNDS_HEIGHT);
  const auto sound = [](const std::optional<Index>& v) { return v && *v >= 0 && *v < Index{1} << 40; };
  if (!sound(x) || !sound(y) || !sound(width) || !sound(height)) return all;
  const Rectangle part = shared_part(all, {*x, *y, *width, *height});
  return part.width > 0 && part.height > 0 ? part : all;
}

/// Colours that are multiplied by alpha, over white.
void put_row(const std::uint32_t* argb, Index count, std::uint8_t* rgb) {
  for (Index i = 0; i < count; ++i, rgb += 3) {
    const std::uint32_t glass = 255 - (argb[i] >> 24);
    for (int c = 0; c < 3; ++c)
      rgb[c] = static_cast<std::uint8_t>(std::min<std::uint32_t>(255, (argb[i] >> (16 - 8 * c) & 255) + glass));
  }
}

/// A part of one axis, and where reading it begins.
struct Piece {
  Index start, begin, end;
};

std::vector<Piece> pieces_of(const ReadStarts& starts, Index begin, Index end) {
  std::vector<Piece> pieces;
  if (starts.free()) {
    for (Index x = begin; x < end; x += kMostAtOnce) pieces.push_back({x, x, std::min(end, x + kMostAtOnce)});
    return pieces;
  }
  const std::vector<Index>& all = starts.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Index from = std::max(begin, all[i]), to = i + 1 < all.size() ? std::min(end, all[i + 1]) : end;
    if (from < to) pieces.push_back({all[i], from, to});
  }
  return pieces;
}

}  // namespace

std::string openslide_vendor(const std::filesystem::path& path) {
  const OpenSlideLibrary* const there = openslide_library();
  const char* const vendor = there == nullptr ? nullptr : there->detect_vendor(path.c_str());
  return vendor == nullptr ? "" : vendor;
}

struct OpenSlidePyramid::State {
  std::string where;
  std::mutex mutex;  // of the handle
  Handle handle;
  std::vector<Level> levels;
  std::vector<ReadStarts> across, down;  // of each level
  io::PixelSize pixel_size;
  Rectangle bounds;

  Handle current() {
    const std::scoped_lock lock(mutex);
    if (!error_of(handle.get()).empty()) handle = open_handle(where);
    return handle;
  }

  /// Runs `read` on the handle that all share. Where it failed, perhaps by what another thread met, it runs once more
  /// on one of its own, so that an error is that of this read.
  void attempt(const std::string& what, const std::function<void(openslide_t*)>& read) {
    Handle used = current();
    for (const bool again : {false, true}) {
      if (again) used = open_handle(where);
      read(used.get());
      const std::string error = error_of(used.get());
      if (error.empty()) return;
      if (again) throw IoError(message(where, ": ", what, ": OpenSlide: ", error));
    }
  }
};

OpenSlidePyramid::OpenSlidePyramid(const std::filesystem::path& path) : state_(std::make_shared<State>()) {
  State& s = *state_;
  s.where = path.string();
  s.handle = open_handle(s.where);
  openslide_t* const slide = s.handle.get();
  s.levels = levels_of(slide, s.where);
  for (std::size_t i = 0; i < s.levels.size(); ++i) {
    const double downsample = library().get_level_downsample(slide, static_cast<std::int32_t>(i));
    s.across.emplace_back(s.levels[i].width, downsample);
    s.down.emplace_back(s.levels[i].height, downsample);
  }
  s.pixel_size = pixel_size_of(slide);
  s.bounds = bounds_of(slide, s.levels[0]);
}

const std::string& OpenSlidePyramid::where() const { return state_->where; }
std::span<const Level> OpenSlidePyramid::levels() const { return state_->levels; }
io::PixelSize OpenSlidePyramid::pixel_size() const { return state_->pixel_size; }
Rectangle OpenSlidePyramid::bounds() const { return state_->bounds; }

void OpenSlidePyramid::read(Index level, const Rectangle& r, std::uint8_t* rgb) const {
  State& s = *state_;
  const Rectangle inside = begin_read(s.where, s.levels, level, r, rgb);
  if (inside.width < 1 || inside.height < 1) return;
  const ReadStarts &across = s.across[static_cast<std::size_t>(level)], &down = s.down[static_cast<std::size_t>(level)];
  const std::vector<Piece> columns = pieces_of(across, inside.x, inside.x + inside.width);
  std::vector<std::uint32_t> argb;
  for (const Piece& row : pieces_of(down, inside.y, inside.y + inside.height))
    for (const Piece& column : columns) {
      const Index width = column.end - column.start, height = row.end - row.start;
      argb.assign(static_cast<std::size_t>(width * height), 0);
      s.attempt(place_of(level, r), [&](openslide_t* slide) {
        library().read_region(slide, argb.data(), across.position(column.start), down.position(row.start),
                              static_cast<std::int32_t>(level), width, height);
      });
      for (Index y = row.begin; y < row.end; ++y)
        put_row(argb.data() + (y - row.start) * width + column.begin - column.start, column.end - column.begin,
                rgb + ((y - r.y) * r.width + column.begin - r.x) * 3);
    }
}

std::vector<std::string> OpenSlidePyramid::associated() const {
  std::vector<std::string> names;
  const Handle handle = state_->current();
  for (const char* const* name = library().get_associated_image_names(handle.get());
       name != nullptr && *name != nullptr; ++name)
    names.emplace_back(*name);
  return names;
}

io::Picture OpenSlidePyramid::read_associated(const std::string& name) const {
  State& s = *state_;
  io::Picture picture{.where = s.where, .format = "slide"};
  std::vector<std::uint32_t> argb;
  s.attempt(message("picture '", name, "'"), [&](openslide_t* slide) {
    std::int64_t width = -1, height = -1;
    library().get_associated_image_dimensions(slide, name.c_str(), &width, &height);
    if (!error_of(slide).empty()) return;
    if (width < 1 || height < 1) throw IoError(message(s.where, ": has no picture '", name, "' beside the slide"));
    if (height > kMostAssociatedPixels / width)
      throw IoError(message(s.where, ": picture '", name, "': ", width, " x ", height, " pixels"));
    picture.width = width, picture.height = height;
    argb.assign(static_cast<std::size_t>(width * height), 0);
    library().read_associated_image(slide, name.c_str(), argb.data());
  });
  io::Picture::Bytes rgb(argb.size() * 3);
  put_row(argb.data(), static_cast<Index>(argb.size()), rgb.data());
  picture.pixels = std::move(rgb);
  return picture;
}

}  // namespace nucdet::slide::detail

namespace nucdet::slide {

std::string openslide_version() {
  const detail::OpenSlideLibrary* const there = detail::openslide_library();
  return there == nullptr ? "" : there->get_version();
}

}  // namespace nucdet::slide

#else

namespace nucdet::slide {

std::string openslide_version() { return {}; }

}  // namespace nucdet::slide

namespace nucdet::slide::detail {

std::string openslide_vendor(const std::filesystem::path&) { return {}; }

}  // namespace nucdet::slide::detail

#endif
