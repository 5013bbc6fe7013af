#include "nucdet/models/device.hpp"

#include <charconv>

#include "nucdet/core/context.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/train/own_gpu.hpp"

#include "training_metadata.hpp"

namespace nucdet::models {

namespace {

/// The number in "cuda:N", 0 for "cuda".
int number_of(const std::string& device) {
  int number = 0;
  const std::string digits = device == "cuda" ? "0" : device.starts_with("cuda:") ? device.substr(5) : "";
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || number < 0)
    throw ArgumentError(message("device '", device, "', wanted auto, cpu, cuda or cuda:N"));
  return number;
}

/// Where all are to compute: ranks that differ in it would ask each other different things from here on.
void check_same_device(Ranks* ranks, const std::string& name, const char* build) {
  if (ranks == nullptr) return;
  check_same_on(*ranks, {{"device", name == "cpu" ? name : message(name, " of a program ", build, " CUDA")}});
}

}  // namespace

Precision precision_named(std::string_view name) {
  for (const Precision p : {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16})
    if (name == name_of(p)) return p;
  throw ArgumentError(message("precision '", name, "', wanted fp32, tf32, bf16 or fp16"));
}

#ifdef NUCDET_WITH_CUDA

NamedDevice device_named(const std::string& name, Ranks* ranks) {
  check_same_device(ranks, name, "with");
  if (name == "cpu") return {};
  const bool any = name == "auto";
  int number = any ? 0 : number_of(name);
  const cuda::Availability there = cuda::availability();
  if (ranks != nullptr && (any || name == "cuda")) number = train::own_gpu(*ranks, there).value_or(0);
  if (there.devices.empty()) {
    if (any) return {.about = there.reason};
    throw CudaError(message("device ", name, ": no CUDA device can be used: ", there.reason));
  }
  if (number >= static_cast<int>(there.devices.size()))
    throw CudaError(message("device ", name, ": there are ", there.devices.size(), " devices, from cuda:0"));
  return {true, number, there.devices[static_cast<std::size_t>(number)].name, there.has_cudnn ? "" : there.cudnn};
}

#else

NamedDevice device_named(const std::string& name, Ranks* ranks) {
  check_same_device(ranks, name, "without");
  const std::string without = "nucdet was built without CUDA";
  if (name == "cpu") return {};
  if (name == "auto") return {.about = without};
  number_of(name);
  throw CudaError(message("device ", name, ": ", without));
}

#endif

}  // namespace nucdet::models
