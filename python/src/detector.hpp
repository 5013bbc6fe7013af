#pragma once
#include <optional>
#include <string>
#include <vector>

#include "nucdet/models/load.hpp"
#include "nucdet/models/pixel_size.hpp"
#include "nucdet/slide/open.hpp"

/// A detector with all that it owns, on the processor.
namespace nucdet::python {

struct DetectorSettings {
  std::string weights;  ///< a file
  int threads = 0;      ///< 0: as many as the process may use
  bool exact = false;   ///< plain sums
  models::Thresholds thresholds{};
  Index tile = detect::TileGrid::kAutomatic;
  int average = 1;
};

class OwnedDetector {
 public:
  /// Throws as models::load_model and detect::Detector do.
  explicit OwnedDetector(const DetectorSettings& settings);

  const detect::Detector<Cpu>& detector() const { return *detector_; }
  const detect::LocalMaxima& peaks() const { return peaks_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  Context<Cpu>& context() const { return detector_->context(); }

  /// Nuclei of an image, in its pixels. Throws as detect::Detector does.
  std::vector<Nucleus> detect(const data::ImageView& image, double scale, const Watch& watch) const;
  /// Of a slide in pixels of level 0, where it has tissue: as `nucdet detect` finds them. tissue: "auto", "all", or a
  /// file with a mask.
  std::vector<Nucleus> detect(const slide::Slide& slide, const models::AskedPixelSize& asked, const std::string& tissue,
                              const Watch& watch) const;
  /// What an image in reference pixels is normalised with.
  data::ChannelStatistics statistics(const data::ImageView& image) const;
  /// The network's outputs for an image in reference pixels, [1, h, w, maps] each, by their names.
  std::vector<std::pair<std::string, Tensor<Cpu>>> outputs(const data::ImageView& image) const;

 private:
  mutable Context<Cpu> context_;
  std::map<std::string, std::string> metadata_{};
  data::Normalization normalization_{};
  detect::LocalMaxima peaks_{};
  std::optional<detect::Detector<Cpu>> detector_{};
};

}  // namespace nucdet::python
