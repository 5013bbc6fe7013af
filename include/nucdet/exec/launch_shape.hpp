#pragma once
#include "nucdet/core/shape.hpp"

namespace nucdet::exec {

/// Threads in a block of every kernel here: enough warps to hide latency, few enough that registers never run short.
inline constexpr int kBlockThreads = 256;

/// How many blocks a grid-stride loop over `items` is given: from the work alone, never from the device, so that
/// nothing about a result depends on it. Beyond the limit each thread takes several items.
constexpr int blocks_for(Index items) {
  constexpr Index kMost = 65536;
  const Index blocks = (items + kBlockThreads - 1) / kBlockThreads;
  return static_cast<int>(blocks < 1 ? 1 : blocks < kMost ? blocks : kMost);
}

/// Which channels a thread of a general kernel takes: a few neighbours share the arithmetic of their pixel.
constexpr Index channels_per_thread(Index channels) { return channels % 4 == 0 ? 4 : 1; }

/// The cut of a column reduction: a block has `across` threads over the channels (`each` channels a thread) and `down`
/// over the pixels; `strips` blocks share out the pixels of a group, `columns` blocks the channels.
struct ColumnCut {
  Index each, across, down, strips, columns;

  /// Every thread gets at least about eight pixels; the number of strips is bounded, since one kernel adds them up.
  static constexpr ColumnCut of(Index pixels, Index channels) {
    ColumnCut cut{channels_per_thread(channels), 1, 1, 1, 1};
    const Index wanted = channels / cut.each;
    while (cut.across < 32 && cut.across < wanted) cut.across *= 2;
    cut.down = kBlockThreads / cut.across;
    cut.columns = (wanted + cut.across - 1) / cut.across;
    const Index least = 8 * cut.down, most = 1024;
    const Index strips = (pixels + least - 1) / least;
    cut.strips = strips < 1 ? 1 : strips < most ? strips : most;
    return cut;
  }
};

/// The same for one sum an image.
constexpr Index row_strips(Index pixels) {
  const Index strips = (pixels + 8 * kBlockThreads - 1) / (8 * kBlockThreads);
  return strips < 1 ? 1 : strips < 1024 ? strips : 1024;
}

}  // namespace nucdet::exec
