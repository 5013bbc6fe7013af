#pragma once
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

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

/// What of a slide is looked at, and what positions count from.
struct SlideWishes {
  std::string tissue = "auto";    ///< "auto", "all", or a file with a mask
  std::string origin = "level0";  ///< "level0", or "bounds": what was scanned, and nothing outside of it
};

class OwnedDetector {
 public:
  /// Throws as models::load_model and detect::Detector do.
  explicit OwnedDetector(const DetectorSettings& settings);

  const detect::Detector<Cpu>& detector() const { return *detector_; }
  const detect::LocalMaxima& peaks() const { return peaks_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  int threads() const { return context_.threads(); }
  /// Whether its team of threads is here: a process that was forked has none of them, and would wait for them for ever.
  bool has_its_team() const;

  /// Nuclei of an image, in its pixels. Throws as detect::Detector does; like what follows also Error without the team.
  std::vector<Nucleus> detect(const data::ImageView& image, double scale, const Watch& watch) const;
  /// Of a slide, where it has tissue: as `nucdet detect` finds them. scale: level 0 to reference pixels.
  std::vector<Nucleus> detect(const slide::Slide& slide, double scale, const SlideWishes& wishes,
                              const Watch& watch) const;
  /// What an image in reference pixels is normalised with.
  data::ChannelStatistics statistics(const data::ImageView& image) const;
  /// The network's outputs for an image in reference pixels, [1, h, w, maps] each, by their names.
  std::vector<std::pair<std::string, Tensor<Cpu>>> outputs(const data::ImageView& image) const;

 private:
  void check_team() const;

  pid_t process_;
  mutable Context<Cpu> context_;
  std::map<std::string, std::string> metadata_{};
  data::Normalization normalization_{};
  detect::LocalMaxima peaks_{};
  std::optional<detect::Detector<Cpu>> detector_{};
};

/// Destroys a detector, but for one that has not its team: that would wait, and is left to the end of the process.
struct DestroyWithTeam {
  void operator()(OwnedDetector* detector) const {
    if (detector->has_its_team()) delete detector;
  }
};

}  // namespace nucdet::python
