#include "device.hpp"

#include <charconv>

#include "nucdet/cpu/kernels.hpp"

#include "threads.hpp"

namespace nucdet::program {

namespace {

Precision precision_of(const std::string& name) {
  for (const Precision p : {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16})
    if (name == name_of(p)) return p;
  throw ArgumentError(message("precision '", name, "', wanted fp32, tf32, bf16 or fp16"));
}

/// The number in "cuda:N", 0 for "cuda".
int number_of(const std::string& device) {
  int number = 0;
  const std::string digits = device == "cuda" ? "0" : device.starts_with("cuda:") ? device.substr(5) : "";
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || number < 0)
    throw ArgumentError(message("device '", device, "', wanted auto, cpu, cuda or cuda:N"));
  return number;
}

ChosenDevice cpu(const DeviceOptions& options, const std::string& why) {
  if (options.precision != "fp32")
    throw ArgumentError(message("the processor computes in fp32, --precision is ", options.precision,
                                why.empty() ? "" : "; there is no GPU: " + why));
  const std::string line = message("cpu, ", kernels_of(options)->name, options.exact ? ", exact" : "");
  return {.line = why.empty() ? line : line + ": " + why};
}

}  // namespace

const cpu::Kernels* kernels_of(const DeviceOptions& options) {
  return options.kernels == "auto" ? cpu::best_kernels() : cpu::kernels(options.kernels);
}

int threads_of(const DeviceOptions& options) { return options.threads > 0 ? options.threads : choose_threads().count; }

#ifdef NUCDET_WITH_CUDA

ChosenDevice choose_device(const DeviceOptions& options) {
  const Precision precision = precision_of(options.precision);
  if (options.device == "cpu") return cpu(options, "");
  const bool any = options.device == "auto";
  const int number = any ? 0 : number_of(options.device);
  const cuda::Availability there = cuda::availability();
  if (there.devices.empty()) {
    if (any) return cpu(options, there.reason);
    throw CudaError(message("--device ", options.device, ": no CUDA device can be used: ", there.reason));
  }
  if (number >= static_cast<int>(there.devices.size()))
    throw CudaError(
        message("--device ", options.device, ": there are ", there.devices.size(), " devices, from cuda:0"));
  const std::string& name = there.devices[static_cast<std::size_t>(number)].name;
  const std::string convolutions = there.has_cudnn ? "" : "; slow convolutions, no cuDNN: " + there.cudnn;
  return {true, number, precision, message("cuda:", number, ", ", name, ", ", options.precision, convolutions)};
}

#else

ChosenDevice choose_device(const DeviceOptions& options) {
  precision_of(options.precision);
  const std::string without = "this program was built without CUDA";
  if (options.device == "cpu") return cpu(options, "");
  if (options.device == "auto") return cpu(options, without);
  number_of(options.device);
  throw CudaError(message("--device ", options.device, ": ", without));
}

#endif

}  // namespace nucdet::program
