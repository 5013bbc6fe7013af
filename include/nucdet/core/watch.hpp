#pragma once
#include <functional>
#include <stop_token>

#include "nucdet/core/error.hpp"
#include "nucdet/core/shape.hpp"

namespace nucdet {

/// Thrown where work ends because its stop token asked for it.
struct Stopped : Error {
  using Error::Error;
};

/// How a host program watches long work: it may end it, and is told how far it is.
struct Watch {
  std::stop_token stop{};
  std::function<void(Index done, Index all)> progress{};  ///< from the thread that works

  /// Tells, and throws Stopped, in the name of `where`, if the work is to end.
  void step(const char* where, Index done, Index all) const {
    if (progress) progress(done, all);
    if (stop.stop_requested()) throw Stopped(message(where, ": stopped after ", done, " of ", all));
  }
  /// For what comes before the work that is counted: tells that nothing of it is done.
  Watch beforehand() const {
    Watch before{.stop = stop, .progress = {}};
    if (progress) before.progress = [tell = progress](Index, Index all) { tell(0, all); };
    return before;
  }
};

}  // namespace nucdet
