#pragma once
#include <chrono>

#include "nucdet/core/context.hpp"

namespace nucdet {

/// Milliseconds that the device takes for work() and everything queued by it: by the device's own clock on a GPU.
template <class Work>
double milliseconds_of(Context<Cpu>&, const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

#ifdef NUCDET_WITH_CUDA
namespace cuda {

/// Two marks in a context's stream. One thread at a time.
class Timer {
 public:
  explicit Timer(Context<Cuda>& context);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void begin();
  /// Waits for the work since begin(); milliseconds between the two.
  double end();

 private:
  Context<Cuda>& context_;
  void *first_ = nullptr, *last_ = nullptr;  // cudaEvent_t
};

}  // namespace cuda

template <class Work>
double milliseconds_of(Context<Cuda>& context, const Work& work) {
  cuda::Timer timer(context);
  timer.begin();
  work();
  return timer.end();
}
#endif

}  // namespace nucdet
