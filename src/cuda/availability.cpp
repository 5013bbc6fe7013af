#include <cstring>

#include "nucdet/core/context.hpp"

#include "check.hpp"
#ifdef NUCDET_WITH_CUDNN
#include "cudnn_api.hpp"
#endif

namespace nucdet::cuda {

namespace {

std::string version_text(int version) { return message(version / 1000, '.', version % 1000 / 10); }

std::string why_none(cudaError_t status, int driver, int runtime) {
  if (driver == 0) return "no NVIDIA driver is installed";
  if (status == cudaErrorInsufficientDriver)
    return message("the driver knows CUDA ", version_text(driver), ", this program needs ", version_text(runtime));
  if (status != cudaSuccess) return message(cudaGetErrorName(status), ": ", cudaGetErrorString(status));
  return "the driver sees no device";
}

DeviceInfo describe(int number) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, number), "properties of the device");
  DeviceInfo info;
  info.number = number, info.name = properties.name;
  info.major = properties.major, info.minor = properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  info.memory = properties.totalGlobalMem, info.l2_cache = static_cast<std::size_t>(properties.l2CacheSize);
  std::memcpy(info.uuid.data(), properties.uuid.bytes, info.uuid.size());
  return info;
}

void look_for_cudnn(Availability& there) {
#ifdef NUCDET_WITH_CUDNN
  const CudnnApi& api = cudnn_api();
  there.has_cudnn = api.problem.empty();
  if (there.has_cudnn) {
    const std::size_t version = api.get_version();
    there.cudnn = message(version / 10000, '.', version % 10000 / 100, '.', version % 100);
  } else {
    there.cudnn = api.problem;
  }
#else
  there.cudnn = "nucdet was built without cuDNN";
#endif
}

}  // namespace

Availability availability() {
  Availability there;
  int count = 0;
  if (cudaDriverGetVersion(&there.driver) != cudaSuccess) there.driver = 0;
  if (cudaRuntimeGetVersion(&there.runtime) != cudaSuccess) there.runtime = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (status != cudaSuccess || count == 0) {
    there.reason = why_none(status, there.driver, there.runtime);
  } else {
    try {
      for (int number = 0; number < count; ++number) there.devices.push_back(describe(number));
    } catch (const CudaError& error) {
      there.reason = error.what();
      there.devices.clear();
    }
  }
  // cuDNN may end the program where it finds no driver, or itself not whole.
  if (there.devices.empty())
    there.cudnn = "not looked for without a device";
  else
    look_for_cudnn(there);
  return there;
}

}  // namespace nucdet::cuda
