#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/core/shape.hpp"
#include "nucdet/detect/tile_grid.hpp"
#include "nucdet/io/picture.hpp"

/// Whole slides: pictures of any size, read a rectangle at a time, at the level of a pyramid that suits.
namespace nucdet::slide {

using detect::Rectangle;

/// One picture of a pyramid. Level 0 is the finest; positions of results are in its pixels.
struct Level {
  Index width = 0, height = 0;
  double downsample_x = 1, downsample_y = 1;  ///< pixels of level 0 that one of this level is wide and high
  Index tile_width = 0, tile_height = 0;      ///< what is decoded at a time; 0 where it is not known
};

/// Something that is read a rectangle at a time. A const reader may be used by any number of threads at once.
///
///  * where(): the file's name, for errors.
///  * levels(): at least one, from the finest to the coarsest.
///  * pixel_size(): of level 0.
///  * bounds(): the part of level 0 that was scanned; all of it where nobody says so.
///  * read(level, rectangle, rgb): fills rectangle.height rows of rectangle.width pixels of red, green, blue, without
///    gaps; what lies outside of the level, was not scanned or is transparent is white. Throws IoError that names file,
///    level and rectangle.
template <class R>
concept PyramidReader = requires(const R& reader, Index level, const Rectangle& rectangle, std::uint8_t* rgb) {
  { reader.where() } -> std::convertible_to<const std::string&>;
  { reader.levels() } -> std::convertible_to<std::span<const Level>>;
  { reader.pixel_size() } -> std::convertible_to<io::PixelSize>;
  { reader.bounds() } -> std::convertible_to<Rectangle>;
  reader.read(level, rectangle, rgb);
};

/// Any of them, by value: copies share the reader.
class Slide {
 public:
  template <PyramidReader R>
  explicit Slide(R reader) : reader_(std::make_shared<Held<R>>(std::move(reader))) {}

  const std::string& where() const { return reader_->where(); }
  std::span<const Level> levels() const { return reader_->levels(); }
  io::PixelSize pixel_size() const { return reader_->pixel_size(); }
  Rectangle bounds() const { return reader_->bounds(); }
  Index width() const { return levels()[0].width; }
  Index height() const { return levels()[0].height; }

  void read(Index level, const Rectangle& rectangle, std::uint8_t* rgb) const { reader_->read(level, rectangle, rgb); }
  /// The same as a picture of its own. Throws IoError, also for an empty rectangle and a level that is not there.
  io::Picture read(Index level, const Rectangle& rectangle) const;

  /// What goes with the slide: "label", "macro", "thumbnail". A reader without them has none.
  std::vector<std::string> associated() const { return reader_->associated(); }
  /// Throws IoError for a name that is not among them.
  io::Picture read_associated(const std::string& name) const { return reader_->read_associated(name); }

 private:
  struct Reader {
    virtual ~Reader() = default;
    virtual const std::string& where() const = 0;
    virtual std::span<const Level> levels() const = 0;
    virtual io::PixelSize pixel_size() const = 0;
    virtual Rectangle bounds() const = 0;
    virtual void read(Index level, const Rectangle& rectangle, std::uint8_t* rgb) const = 0;
    virtual std::vector<std::string> associated() const = 0;
    virtual io::Picture read_associated(const std::string& name) const = 0;
  };

  [[noreturn]] static void refuse_associated(const std::string& where, const std::string& name);

  template <PyramidReader R>
  struct Held final : Reader {
    explicit Held(R held) : reader(std::move(held)) {}
    const std::string& where() const override { return reader.where(); }
    std::span<const Level> levels() const override { return reader.levels(); }
    io::PixelSize pixel_size() const override { return reader.pixel_size(); }
    Rectangle bounds() const override { return reader.bounds(); }
    void read(Index level, const Rectangle& r, std::uint8_t* rgb) const override { reader.read(level, r, rgb); }
    std::vector<std::string> associated() const override {
      if constexpr (requires { reader.associated(); })
        return reader.associated();
      else
        return {};
    }
    io::Picture read_associated(const std::string& name) const override {
      if constexpr (requires { reader.read_associated(name); })
        return reader.read_associated(name);
      else
        refuse_associated(reader.where(), name);
    }
    R reader;
  };

  std::shared_ptr<const Reader> reader_;
};

/// The coarsest level whose pixels are no larger than `um_per_pixel`, where those of level 0 have `level0_um`; level 0
/// if there is none.
Index level_for(std::span<const Level> levels, double level0_um, double um_per_pixel);

}  // namespace nucdet::slide
