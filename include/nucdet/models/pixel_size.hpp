#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/io/csv.hpp"
#include "nucdet/io/picture.hpp"

/// How large a pixel is, and with that how an image comes to reference pixels.
namespace nucdet::models {

/// um that a reference pixel is wide: 40x.
inline constexpr double kReferencePixel = io::ManifestEntry::kReferenceMpp;
/// um a pixel that are taken for a pixel size of H&E at 5x to 80x; anything else is taken for a mistake.
inline constexpr double kFinestPixel = 0.1, kCoarsestPixel = 1.5;

/// What a caller says of all images, before what manifests and files say. One of the two at most.
struct AskedPixelSize {
  std::optional<double> mpp{};    ///< um a pixel
  std::optional<double> scale{};  ///< image pixels to reference pixels
};

/// How an image comes to reference pixels, and who says so.
struct Scaling {
  double scale = 1;
  io::PixelSize pixel_size{};  ///< um a pixel; unknown where 0.25 had to be assumed
};

/// The caller's word, else the manifest's, else the file's (`found`), else 0.25 um. Throws ArgumentError for a caller's
/// number out of range, and IoError, naming the image and the ways to say it, for a manifest's or a file's, and for
/// pixels whose sides differ by more than 5 %.
Scaling scaling_of(const AskedPixelSize& asked, const io::ManifestEntry& entry, const std::string& where,
                   const io::PixelSize& found);
inline Scaling scaling_of(const AskedPixelSize& asked, const io::ManifestEntry& entry, const io::Picture& picture) {
  return scaling_of(asked, entry, picture.where, picture.pixel_size);
}

/// Throws ArgumentError for both at once and for numbers out of range.
void check(const AskedPixelSize& asked);

/// Counts pixel sizes of many images, to say each once.
class PixelSizes {
 public:
  /// The line to be said of this one, or an empty text if it was said before.
  std::string line(const Scaling& scaling);
  /// One line on all of them: "pixel size: 0.5 um (Aperio MPP, 12 images); 0.25 um (assumed: ..., 3 images)".
  void add(const Scaling& scaling) { ++count_[text_of(scaling)]; }
  std::string all() const;

 private:
  static std::string text_of(const Scaling& scaling);
  std::map<std::string, Index> count_;
};

}  // namespace nucdet::models
