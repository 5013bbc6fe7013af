#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "nucdet/core/context.hpp"

namespace nucdet {

/// Work that is done again and again on the same memory. The CPU just does it; a GPU records it as a graph and then
/// launches all of its kernels at once, which takes the host's part out of the time.
///
/// The first run does the work as it stands (plans are made, memory is taken), the second records it, and from then on
/// it is replayed. What the work allocates comes from memory of its own and stays where it is, so the work may keep
/// tensors that it made, and they hold the results of the last run. It must not wait for the device, upload or
/// download. Where recording fails, `note` says why and the work is done as on the first run. One thread at a time.
template <class Device>
class CapturedWork;

template <>
class CapturedWork<Cpu> {
 public:
  CapturedWork(Context<Cpu>&, std::function<void()> work) : work_(std::move(work)) {}
  void run() { work_(); }
  std::string note() const { return {}; }

 private:
  std::function<void()> work_;
};

#ifdef NUCDET_WITH_CUDA
template <>
class CapturedWork<Cuda> {
 public:
  CapturedWork(Context<Cuda>& context, std::function<void()> work);
  ~CapturedWork();
  CapturedWork(const CapturedWork&) = delete;
  CapturedWork& operator=(const CapturedWork&) = delete;

  void run();
  /// Why the work is not replayed from a graph; empty while nothing is known against it.
  const std::string& note() const { return note_; }
  bool captured() const { return graph_ != nullptr; }

 private:
  struct Graph;
  void record();

  Context<Cuda>& context_;
  std::function<void()> work_;
  MemoryPool pool_;
  std::unique_ptr<Graph> graph_;
  std::string note_;
  int runs_ = 0;
};
#endif

}  // namespace nucdet
