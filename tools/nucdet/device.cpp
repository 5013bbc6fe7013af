#include "device.hpp"

#include "nucdet/cpu/kernels.hpp"
#include "nucdet/models/device.hpp"

#include "threads.hpp"

namespace nucdet::program {

const cpu::Kernels* kernels_of(const DeviceOptions& options) {
  return options.kernels == "auto" ? cpu::best_kernels() : cpu::kernels(options.kernels);
}

int threads_of(const DeviceOptions& options) { return options.threads > 0 ? options.threads : choose_threads().count; }

ChosenDevice choose_device(const DeviceOptions& options, Ranks* ranks) {
  const Precision precision = models::precision_named(options.precision);
  const models::NamedDevice device = models::device_named(options.device, ranks);
  if (device.cuda) {
    const std::string convolutions = device.cudnn.empty() ? "" : "; slow convolutions, no cuDNN: " + device.cudnn;
    return {true,
            device.number,
            precision,
            message("cuda:", device.number, ", ", device.about, ", ", options.precision, convolutions),
            message("cuda, ", device.about, ", ", options.precision),
            "cuda, " + options.precision};
  }
  const std::string& why = device.about;
  if (precision != Precision::fp32)
    throw ArgumentError(message("the processor computes in fp32, --precision is ", options.precision,
                                why.empty() ? "" : "; there is no GPU: " + why));
  const std::string numbers = message("cpu, ", kernels_of(options)->name);
  const std::string name = numbers + (options.exact ? ", exact" : "");
  return {.line = why.empty() ? name : name + ": " + why, .name = name, .numbers = numbers};
}

}  // namespace nucdet::program
