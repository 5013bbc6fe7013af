#pragma once
#include <algorithm>
#include <chrono>
#include <thread>

namespace nucdet {

/// Waits for others by asking again and again: quick answers are met at once, after that the processor is given away.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Patience(Clock::duration limit) : limit_(limit) {}

  /// To be called after each answer that says "not yet"; false once all of it took longer than the limit. A turn counts
  /// as a second at most: a job that was suspended, with all its ranks, has not waited for anybody.
  bool lasts() {
    const Clock::time_point now = Clock::now();
    waited_ += std::min<Clock::duration>(now - last_, std::chrono::seconds(1)), last_ = now;
    if (waited_ > limit_) return false;
    if (waited_ > std::chrono::milliseconds(20))
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    else if (++turns_ > 200)
      std::this_thread::yield();
    return true;
  }
  double seconds() const { return std::chrono::duration<double>(waited_).count(); }

 private:
  Clock::duration limit_, waited_{};
  Clock::time_point last_ = Clock::now();
  int turns_ = 0;
};

}  // namespace nucdet
