#pragma once
#include <functional>

#include "nucdet/optim/schedule.hpp"

namespace nucdet::optim {

/// Any schedule, as a value that settings can hold.
class AnySchedule {
 public:
  template <Schedule S>
  requires(!std::same_as<S, AnySchedule>) AnySchedule(S schedule)
      : rate_([schedule](std::int64_t iteration) { return static_cast<double>(schedule(iteration)); }),
        check_([schedule] { schedule.check(); }) {}

  double operator()(std::int64_t iteration) const { return rate_(iteration); }
  void check() const { check_(); }

 private:
  std::function<double(std::int64_t)> rate_;
  std::function<void()> check_;
};
static_assert(Schedule<AnySchedule>);

}  // namespace nucdet::optim
