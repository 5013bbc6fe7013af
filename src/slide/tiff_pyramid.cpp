#include "tiff_pyramid.hpp"

#include <mutex>

#include "io/byte_reading.hpp"
#include "io/mapped_file.hpp"
#include "io/tiff/tiles.hpp"
#include "rectangles.hpp"
#include "tiff_pages.hpp"
#include "tile_cache.hpp"

namespace nucdet::slide::detail {

using namespace io::detail;

namespace {

/// The sizes of slides are no reason to refuse them: a tile at a time is in memory.
constexpr io::PictureOptions kAnySize{.pixels = Index{1} << 40};

/// Open readers of one level, a thread takes one and brings it back unless it failed.
class ReaderPool {
 public:
  std::unique_ptr<TiffTileReader> take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return {};
    auto reader = std::move(free_.back());
    free_.pop_back();
    return reader;
  }
  void bring_back(std::unique_ptr<TiffTileReader> reader) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(reader));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<TiffTileReader>> free_;
};

/// 8 bits of the colours of a tile.
std::vector<std::uint8_t> bytes_of(io::Picture picture) {
  if (auto* bytes = std::get_if<io::Picture::Bytes>(&picture.pixels)) return std::move(*bytes);
  const auto& words = std::get<io::Picture::Words>(picture.pixels);
  std::vector<std::uint8_t> bytes(words.size());
  std::transform(words.begin(), words.end(), bytes.begin(), byte_of_word);
  return bytes;
}

bool as_rgb(const TiffLevel& level) { return level.encoding.colour.way == TiffColour::Way::by_libtiff; }

/// A sink of the tile that begins at (y, x).
TiffRowSink within_tile(const TiffRowSink& sink, Index y, Index x) {
  return [&sink, y, x](void* row, Index row_y, Index row_x, Index count) { sink(row, row_y - y, row_x - x, count); };
}

}  // namespace

struct TiffPyramid::State {
  explicit State(const std::filesystem::path& path)
      : where(path.string()), file(path), source{file.bytes(), where, kAnySize} {}

  std::string where;
  MappedFile file;
  EncodedImage source;
  TiffSlide slide;
  std::vector<Level> levels;
  std::vector<ReaderPool> pools;
  TileCache cache{kCacheBytes};
  std::once_flag colours_settled;

  void settle_colours();
  TileCache::Tile decode(Index level, Index y, Index x);
  TileCache::Tile tile(Index level, Index y, Index x);
};

/// What stands for white, and whether alpha counts, is the same for all tiles: it is sought in the coarsest level,
/// or in an even choice of its tiles, when the first tile of any is wanted.
void TiffPyramid::State::settle_colours() {
  constexpr Index kMostTiles = 1024, kFewTiles = 4, kMostPixels = Index{1} << 26;
  const TiffLevel& last = slide.levels.back();
  const SampleLayout& layout = last.encoding.colour.layout;
  if (layout.range_is_declared && layout.alpha < 0) return;
  TiffTileReader reader(source, last.encoding.samples, as_rgb(last));
  Canvas canvas(source, "TIFF", reader.width(), reader.height(), picture_bits(layout.type), 1);
  SampleConverter converter(canvas, layout);
  const TiffRowSink add = converting_sink(last.encoding, converter);
  const Index across = (last.page.width + reader.width() - 1) / reader.width();
  const Index tiles = across * ((last.page.height + reader.height() - 1) / reader.height());
  const Index chosen = std::clamp(kMostPixels / (reader.width() * reader.height()), kFewTiles, kMostTiles);
  for (Index i = 0; i < tiles; i += std::max<Index>(1, tiles / chosen)) {
    const Index y = i / across * reader.height(), x = i % across * reader.width();
    if (reader.stored(y, x)) reader.read(y, x, within_tile(add, y, x));
  }
  converter.again();
  const SampleLayout settled = converter.settled();
  for (TiffLevel& level : slide.levels) {
    SampleLayout& own = level.encoding.colour.layout;
    own.range = settled.range;
    own.range_is_declared = true;
    own.alpha_white = settled.alpha_white;
    if (settled.alpha < 0) own.alpha = -1;
  }
}

/// Null for a tile that the file leaves out.
TileCache::Tile TiffPyramid::State::decode(Index level, Index y, Index x) {
  std::call_once(colours_settled, [this] { settle_colours(); });
  const TiffLevel& of = slide.levels[static_cast<std::size_t>(level)];
  ReaderPool& pool = pools[static_cast<std::size_t>(level)];
  std::unique_ptr<TiffTileReader> reader = pool.take();
  if (!reader) reader = std::make_unique<TiffTileReader>(source, of.encoding.samples, as_rgb(of));
  TileCache::Tile decoded;
  if (reader->stored(y, x)) {
    Canvas canvas(source, "TIFF", reader->width(), reader->height(), picture_bits(of.encoding.colour.layout.type), 1);
    SampleConverter converter(canvas, of.encoding.colour.layout);
    reader->read(y, x, within_tile(converting_sink(of.encoding, converter), y, x));
    decoded = std::make_shared<const std::vector<std::uint8_t>>(bytes_of(std::move(canvas).take()));
  }
  pool.bring_back(std::move(reader));
  return decoded;
}

TileCache::Tile TiffPyramid::State::tile(Index level, Index y, Index x) {
  const Level& of = levels[static_cast<std::size_t>(level)];
  const Index number = y / of.tile_height * ((of.width + of.tile_width - 1) / of.tile_width) + x / of.tile_width;
  TileCache::Tile tile = cache.find(level, number);
  if (tile) return tile;
  tile = decode(level, y, x);
  if (tile) cache.keep(level, number, tile);
  return tile;
}

TiffPyramid::TiffPyramid(const std::filesystem::path& path) : state_(std::make_shared<State>(path)) {
  State& s = *state_;
  if (!is_tiff(s.file.bytes())) throw IoError(message(s.where, ": is no TIFF file"));
  s.slide = find_levels(s.source);
  s.pools = std::vector<ReaderPool>(s.slide.levels.size());
  const TiffPage& full = s.slide.levels[0].page;
  for (const TiffLevel& level : s.slide.levels)
    s.levels.push_back({level.page.width, level.page.height,
                        static_cast<double>(full.width) / static_cast<double>(level.page.width),
                        static_cast<double>(full.height) / static_cast<double>(level.page.height), level.tile_width,
                        level.tile_height});
}

const std::string& TiffPyramid::where() const { return state_->where; }
std::span<const Level> TiffPyramid::levels() const { return state_->levels; }
io::PixelSize TiffPyramid::pixel_size() const { return state_->slide.pixel_size; }
Rectangle TiffPyramid::bounds() const { return {0, 0, state_->levels[0].width, state_->levels[0].height}; }

void TiffPyramid::read(Index level, const Rectangle& r, std::uint8_t* rgb) const {
  State& s = *state_;
  const Rectangle inside = begin_read(s.where, s.levels, level, r, rgb);
  if (inside.width < 1 || inside.height < 1) return;
  const Level& of = s.levels[static_cast<std::size_t>(level)];
  try {
    for (Index y = inside.y / of.tile_height * of.tile_height; y < inside.y + inside.height; y += of.tile_height)
      for (Index x = inside.x / of.tile_width * of.tile_width; x < inside.x + inside.width; x += of.tile_width) {
        const TileCache::Tile tile = s.tile(level, y, x);
        const Rectangle part = shared_part(inside, {x, y, of.tile_width, of.tile_height});
        for (Index row = part.y; tile && row < part.y + part.height; ++row)
          std::copy_n(tile->data() + ((row - y) * of.tile_width + part.x - x) * 3, part.width * 3,
                      rgb + ((row - r.y) * r.width + part.x - r.x) * 3);
      }
  } catch (const IoError& error) { throw IoError(message(error.what(), " (", place_of(level, r), ")")); }
}

std::vector<std::string> TiffPyramid::associated() const {
  std::vector<std::string> names;
  for (const auto& [name, page] : state_->slide.associated) names.push_back(name);
  return names;
}

io::Picture TiffPyramid::read_associated(const std::string& name) const {
  const State& s = *state_;
  const auto at = s.slide.associated.find(name);
  if (at == s.slide.associated.end()) throw IoError(message(s.where, ": has no picture '", name, "' beside the slide"));
  io::Picture picture = decode_tiff({s.file.bytes(), s.where, {.pixels = kMostAssociatedPixels, .page = at->second}});
  if (picture.bits() == 16) picture.pixels = bytes_of(picture);
  picture.pixel_size = {};
  return picture;
}

bool is_tiff_slide(const std::filesystem::path& path) {
  try {
    const std::string where = path.string();
    const MappedFile file(path);
    return is_tiff(file.bytes()) && is_pyramid({file.bytes(), where, kAnySize});
  } catch (const IoError&) { return false; }
}

}  // namespace nucdet::slide::detail
