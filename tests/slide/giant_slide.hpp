#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <jpeglib.h>

/// A slide of any size in a few megabytes: a BigTIFF pyramid whose tiles are a few hundred stored ones, used again and
/// again. Each level is the mean of 2 x 2 pixels of the one above.
namespace giant {

using Index = std::ptrdiff_t;
using Pixels = std::vector<std::uint8_t>;  // of a tile: rows of RGB

inline constexpr Index kTile = 256;
inline constexpr Index kBlock = 8;  // tiles along a side of what repeats: 2048 pixels

struct Options {
  Index width = 100000, height = 80000;
  Index smallest = 1000;       ///< levels go on while the longer side of the next has at least this many pixels
  double um_per_pixel = 0.25;  ///< of level 0
  bool glass = true;           ///< else all is tissue
  /// Where the picture lies on a glass that is this much larger on each side: said as a Leica scanner says it (SCN), so
  /// that OpenSlide knows of bounds. 0: a generic pyramid.
  Index left = 0, top = 0;
  std::uint64_t seed = 1;  ///< of the tissue
  /// Tiles along a side that are tissue or glass together; blocks as large as slides would leave small ones empty.
  Index together() const { return std::max(width, height) < kBlock * kTile ? 1 : kBlock; }
};

/// Whether so many tiles together are tissue: where there is glass, four large regions, 30 % of the slide.
inline bool is_tissue(const Options& o, Index block_x, Index block_y) {
  if (!o.glass) return true;
  struct Ellipse {
    double x, y, across, down;  // of the slide's sides
  };
  constexpr Ellipse kRegions[] = {
      {0.27, 0.34, 0.176, 0.204}, {0.70, 0.30, 0.139, 0.185}, {0.62, 0.76, 0.204, 0.12}, {0.15, 0.80, 0.083, 0.111}};
  const auto side = static_cast<double>(o.together() * kTile);
  const double x = (static_cast<double>(block_x) + 0.5) * side / static_cast<double>(o.width);
  const double y = (static_cast<double>(block_y) + 0.5) * side / static_cast<double>(o.height);
  for (const Ellipse& e : kRegions)
    if (std::hypot((x - e.x) / e.across, (y - e.y) / e.down) < 1) return true;
  return false;
}

/// The same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2654435761u + 88172645463325252u) {}
  double operator()() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0;
  }

 private:
  std::uint64_t state_;
};

/// A block of tissue, kBlock * kTile pixels a side, whose opposite borders go with each other.
class TissueBlock {
 public:
  static constexpr Index kSide = kBlock * kTile;

  explicit TissueBlock(std::uint64_t seed) : pixels_(static_cast<std::size_t>(kSide * kSide * 3)) {
    constexpr Index kCoarse = 64;  // waves of stroma
    Random random(seed);
    std::vector<double> knots(static_cast<std::size_t>(kCoarse * kCoarse));
    for (double& k : knots) k = random();
    const auto knot = [&](Index x, Index y) {
      return knots[static_cast<std::size_t>((y % kCoarse) * kCoarse + x % kCoarse)];
    };
    for (Index y = 0; y < kSide; ++y)
      for (Index x = 0; x < kSide; ++x) {
        constexpr Index step = kSide / kCoarse;
        const double fx = static_cast<double>(x % step) / step, fy = static_cast<double>(y % step) / step;
        const Index kx = x / step, ky = y / step;
        const double wave = (1 - fy) * ((1 - fx) * knot(kx, ky) + fx * knot(kx + 1, ky)) +
                            fy * ((1 - fx) * knot(kx, ky + 1) + fx * knot(kx + 1, ky + 1));
        const double grain = 12 * (random() - 0.5);
        set(x, y, 232 - 24 * wave + grain, 164 - 60 * wave + grain, 198 - 34 * wave + grain);
      }
    add_nuclei(random);
  }

  Pixels tile(Index column, Index row) const {
    Pixels cut(static_cast<std::size_t>(kTile * kTile * 3));
    for (Index y = 0; y < kTile; ++y)
      std::copy_n(pixels_.data() + ((row * kTile + y) * kSide + column * kTile) * 3, kTile * 3,
                  cut.data() + y * kTile * 3);
    return cut;
  }

 private:
  void set(Index x, Index y, double r, double g, double b) {
    std::uint8_t* const p = pixels_.data() + ((y % kSide) * kSide + x % kSide) * 3;
    p[0] = static_cast<std::uint8_t>(r), p[1] = static_cast<std::uint8_t>(g), p[2] = static_cast<std::uint8_t>(b);
  }

  /// One in each cell of a lattice of 64 pixels, somewhere within: about 3900 a square millimetre at 0.25 um a pixel.
  void add_nuclei(Random& random) {
    constexpr Index kCell = 64;
    for (Index y = 0; y < kSide; y += kCell)
      for (Index x = 0; x < kSide; x += kCell) {
        const double cx = static_cast<double>(x) + 16 + 32 * random(), cy = static_cast<double>(y) + 16 + 32 * random();
        const double across = 10 + 6 * random(), down = 8 + 5 * random();
        for (Index v = y; v < y + kCell; ++v)
          for (Index u = x; u < x + kCell; ++u) {
            const double off = std::hypot((static_cast<double>(u) - cx) / across, (static_cast<double>(v) - cy) / down);
            const double grain = 30 * (random() - 0.5);
            if (off < 1) set(u, v, 98 + 20 * off + grain, 62 + 20 * off + grain, 138 + 20 * off + grain);
          }
      }
  }

  Pixels pixels_;
};

inline Pixels glass_tile(std::uint64_t seed) {
  Pixels pixels(static_cast<std::size_t>(kTile * kTile * 3));
  Random random(seed);
  for (std::uint8_t& v : pixels) v = static_cast<std::uint8_t>(241 + 5 * random());
  return pixels;
}

/// The four tiles of the level above, of which a tile is the mean.
inline Pixels half_of(const std::array<const Pixels*, 4>& above) {
  Pixels pixels(static_cast<std::size_t>(kTile * kTile * 3));
  for (Index y = 0; y < kTile; ++y)
    for (Index x = 0; x < kTile; ++x) {
      const Pixels& from = *above[static_cast<std::size_t>((y >= kTile / 2 ? 2 : 0) + (x >= kTile / 2 ? 1 : 0))];
      const Index fx = 2 * (x % (kTile / 2)), fy = 2 * (y % (kTile / 2));
      for (Index c = 0; c < 3; ++c) {
        const std::uint8_t* const p = from.data() + (fy * kTile + fx) * 3 + c;
        pixels[static_cast<std::size_t>((y * kTile + x) * 3 + c)] =
            static_cast<std::uint8_t>((p[0] + p[3] + p[kTile * 3] + p[kTile * 3 + 3] + 2) / 4);
      }
    }
  return pixels;
}

inline std::vector<std::uint8_t> jpeg_of(const Pixels& pixels) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long count = 0;
  jpeg_mem_dest(&jpeg, &bytes, &count);
  jpeg.image_width = jpeg.image_height = static_cast<JDIMENSION>(kTile);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 85, TRUE);
  jpeg.write_JFIF_header = FALSE;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<std::uint8_t*>(pixels.data()) + static_cast<Index>(jpeg.next_scanline) * kTile * 3;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::vector<std::uint8_t> all(bytes, bytes + count);
  std::free(bytes);
  return all;
}

/// A level as the numbers of its tiles' contents.
struct LevelTiles {
  Index width, height, across, down;
  std::vector<std::size_t> contents;
};

/// BigTIFF, little endian, written by hand: libtiff writes the bytes of a tile once for each use.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : out_(path, std::ios::binary | std::ios::trunc) {
    if (!out_) throw std::runtime_error(path.string() + ": cannot be written");
    put("II", 2), number(43, 2), number(8, 2), number(0, 2), number(0, 8);  // where the first directory is comes later
  }

  void add_tile(const std::vector<std::uint8_t>& bytes) {
    tiles_.push_back({at_, bytes.size()});
    put(bytes.data(), bytes.size());
  }

  /// `description`: its ImageDescription, if there is one.
  void add_level(const LevelTiles& level, bool reduced, double um_per_pixel, const std::string& description = {}) {
    const std::uint64_t text = at_;
    put(description.c_str(), description.size() + 1);
    const std::uint64_t offsets = at_;
    for (const std::size_t i : level.contents) number(tiles_[i].first, 8);
    const std::uint64_t counts = at_;
    for (const std::size_t i : level.contents) number(tiles_[i].second, 8);
    const auto per_cm = static_cast<std::uint64_t>(std::llround(1e7 / um_per_pixel)) | std::uint64_t{1000} << 32;
    const std::uint64_t n = level.contents.size();
    struct Entry {
      std::uint64_t tag, type, count, value;
    };
    std::vector<Entry> entries = {{254, 4, 1, reduced ? 1u : 0u},
                                  {256, 4, 1, static_cast<std::uint64_t>(level.width)},
                                  {257, 4, 1, static_cast<std::uint64_t>(level.height)},
                                  {258, 3, 3, 0x000800080008},  // bits
                                  {259, 3, 1, 7},               // JPEG
                                  {262, 3, 1, 6},               // YCbCr
                                  {270, 2, description.size() + 1, text},
                                  {277, 3, 1, 3},
                                  {282, 5, 1, per_cm},
                                  {283, 5, 1, per_cm},
                                  {284, 3, 1, 1},
                                  {296, 3, 1, 3},  // a centimetre
                                  {322, 4, 1, kTile},
                                  {323, 4, 1, kTile},
                                  {324, 16, n, n == 1 ? tiles_[level.contents[0]].first : offsets},
                                  {325, 16, n, n == 1 ? tiles_[level.contents[0]].second : counts},
                                  {530, 3, 2, 0x00020002}};  // colour by 2 x 2 pixels
    if (description.empty()) std::erase_if(entries, [](const Entry& e) { return e.tag == 270; });
    point_to(at_);
    number(entries.size(), 8);
    for (const Entry& e : entries) number(e.tag, 2), number(e.type, 2), number(e.count, 8), number(e.value, 8);
    link_ = at_;
    number(0, 8);
  }

  void close() {
    out_.close();
    if (!out_) throw std::runtime_error("the slide cannot be written");
  }

 private:
  void put(const void* bytes, std::size_t count) {
    out_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
    at_ += count;
  }
  void number(std::uint64_t value, int bytes) {
    char text[8];
    for (int i = 0; i < bytes; ++i) text[i] = static_cast<char>(value >> (8 * i) & 255);
    put(text, static_cast<std::size_t>(bytes));
  }
  /// Writes where a directory begins into the one before, or into the header.
  void point_to(std::uint64_t directory) {
    const std::uint64_t here = at_;
    out_.seekp(static_cast<std::streamoff>(link_));
    number(directory, 8);
    out_.seekp(static_cast<std::streamoff>(here));
    at_ = here;
  }

  std::ofstream out_;
  std::uint64_t at_ = 0, link_ = 8;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> tiles_;
};

/// The contents of all tiles, each once.
class Contents {
 public:
  std::size_t add(Pixels pixels) {
    all_.push_back(std::move(pixels));
    return all_.size() - 1;
  }
  std::size_t half(const std::array<std::size_t, 4>& above) {
    const auto [at, is_new] = known_.try_emplace(above, all_.size());
    if (is_new) all_.push_back(half_of({&all_[above[0]], &all_[above[1]], &all_[above[2]], &all_[above[3]]}));
    return at->second;
  }
  const std::vector<Pixels>& all() const { return all_; }

 private:
  std::vector<Pixels> all_;
  std::map<std::array<std::size_t, 4>, std::size_t> known_;
};

inline LevelTiles finest(const Options& o, Contents& contents) {
  const TissueBlock block(o.seed);
  const Index together = o.together();
  std::vector<std::size_t> tissue, glass;
  for (Index i = 0; i < kBlock * kBlock; ++i) tissue.push_back(contents.add(block.tile(i % kBlock, i / kBlock)));
  for (std::uint64_t i = 0; i < 4; ++i) glass.push_back(contents.add(glass_tile(i + 7)));
  LevelTiles level{o.width, o.height, (o.width + kTile - 1) / kTile, (o.height + kTile - 1) / kTile, {}};
  for (Index y = 0; y < level.down; ++y)
    for (Index x = 0; x < level.across; ++x)
      level.contents.push_back(is_tissue(o, x / together, y / together)
                                   ? tissue[static_cast<std::size_t>(y % kBlock * kBlock + x % kBlock)]
                                   : glass[static_cast<std::size_t>(y % 2 * 2 + x % 2)]);
  return level;
}

inline LevelTiles next(const LevelTiles& above, Contents& contents) {
  LevelTiles level{above.width / 2, above.height / 2, 0, 0, {}};
  level.across = (level.width + kTile - 1) / kTile, level.down = (level.height + kTile - 1) / kTile;
  const auto at = [&](Index x, Index y) {
    return above
        .contents[static_cast<std::size_t>(std::min(y, above.down - 1) * above.across + std::min(x, above.across - 1))];
  };
  for (Index y = 0; y < level.down; ++y)
    for (Index x = 0; x < level.across; ++x)
      level.contents.push_back(
          contents.half({at(2 * x, 2 * y), at(2 * x + 1, 2 * y), at(2 * x, 2 * y + 1), at(2 * x + 1, 2 * y + 1)}));
  return level;
}

/// What Leica's SCN says of a slide: nanometres, and which directory has which level.
inline std::string leica_description(const Options& o, const std::vector<LevelTiles>& levels) {
  const auto nm = [&](Index pixels) {
    return std::to_string(std::llround(static_cast<double>(pixels) * o.um_per_pixel * 1000));
  };
  const auto size = [&](const char* name, Index width, Index height) {
    return std::string("<") + name + " sizeX=\"" + nm(width) + "\" sizeY=\"" + nm(height) + "\"";
  };
  std::string text = "<?xml version=\"1.0\"?><scn xmlns=\"http://www.leica-microsystems.com/scn/2010/10/01\">" +
                     size("collection", o.width + 2 * o.left, o.height + 2 * o.top) +
                     "><image><creationDate>2020-01-01T00:00:00Z</creationDate><device model=\"made\" "
                     "version=\"1\"/><pixels sizeX=\"" +
                     std::to_string(o.width) + "\" sizeY=\"" + std::to_string(o.height) + "\">";
  for (std::size_t i = 0; i < levels.size(); ++i)
    text += "<dimension sizeX=\"" + std::to_string(levels[i].width) + "\" sizeY=\"" + std::to_string(levels[i].height) +
            "\" r=\"" + std::to_string(i) + "\" ifd=\"" + std::to_string(i) + "\"/>";
  return text + "</pixels>" + size("view", o.width, o.height) + " offsetX=\"" + nm(o.left) + "\" offsetY=\"" +
         nm(o.top) +
         "\"/><scanSettings><objectiveSettings><objective>40</objective></objectiveSettings><illuminationSettings>"
         "<numericalAperture>0.7</numericalAperture><illuminationSource>brightfield</illuminationSource>"
         "</illuminationSettings></scanSettings></image></collection></scn>";
}

/// Writes the slide. Throws std::runtime_error.
inline void write(const std::filesystem::path& path, const Options& o = {}) {
  if (o.width < 1 || o.height < 1 || o.width > 10000000 || o.height > 10000000)
    throw std::runtime_error("sides from 1 to 10,000,000 pixels are written");
  Contents contents;
  std::vector<LevelTiles> levels = {finest(o, contents)};
  while (std::max(levels.back().width, levels.back().height) / 2 >= o.smallest &&
         std::min(levels.back().width, levels.back().height) >= 2)
    levels.push_back(next(levels.back(), contents));
  Writer writer(path);
  for (const Pixels& pixels : contents.all()) writer.add_tile(jpeg_of(pixels));
  for (std::size_t i = 0; i < levels.size(); ++i)
    writer.add_level(levels[i], i > 0,
                     o.um_per_pixel * static_cast<double>(o.width) / static_cast<double>(levels[i].width),
                     i == 0 && o.left > 0 ? leica_description(o, levels) : "");
  writer.close();
}

}  // namespace giant
