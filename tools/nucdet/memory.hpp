#pragma once
#include <cmath>
#include <functional>

#include "nucdet/detect/detector.hpp"
#include "nucdet/slide/detect_slide.hpp"

#include "commands.hpp"

/// --memory: what a process may take, and tiles that fit into it.
namespace nucdet::program {

/// Bytes that looking at tiles takes besides what the process has anyway, at most: the network at work on one, those
/// that are read, at twice the reference's resolution, those in work in reference pixels as floats. `window`: reference
/// pixels along a tile with its margins.
double memory_of_tiles(const nn::Plan& network, Index window, std::size_t read, std::size_t in_work);
/// Bytes that the process may still take of so many megabytes.
double memory_left(Index megabytes);
/// Has the system hold the process to so many megabytes of data.
void limit_memory(Index megabytes);

/// The detector, or one with tiles as small as --memory takes, to which the process is then held. Throws ArgumentError
/// if the smallest are too large.
template <class Device>
detect::Detector<Device> detector_within(const DetectOptions& o, detect::Detector<Device> detector,
                                         const std::function<detect::Detector<Device>(Index)>& with_tile) {
  if (o.memory == 0) return detector;
  constexpr Index kSmallest = 256;
  using Workers = slide::TileWorkers<Device>;
  const auto takes = [&] {
    return memory_of_tiles(detector.plan(), detector.tiles().window(),
                           Workers::tiles_held(static_cast<std::size_t>(o.ahead)), Workers::kDetectors);
  };
  const double left = memory_left(o.memory);
  for (Index tile = detector.tiles().cell; takes() > left; detector = with_tile(tile)) {
    tile = tile / 2 / 32 * 32;
    if (tile < kSmallest)
      throw ArgumentError(message("--memory ", o.memory, ": the smallest tiles take ", std::ceil(takes() / 1e6),
                                  " MB besides what the program has already, ", std::floor(left / 1e6),
                                  " are left: give more"));
  }
  limit_memory(o.memory);
  return detector;
}

}  // namespace nucdet::program
