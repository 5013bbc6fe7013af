#include <iostream>
#include <thread>

#include "nucdet/cpu/kernels.hpp"
#include "nucdet/version.hpp"

#include "commands.hpp"
#include "device.hpp"

namespace nucdet::program {

namespace {

#ifdef NUCDET_WITH_CUDA

std::string version_text(int version) {
  return version == 0 ? "none" : message(version / 1000, '.', version % 1000 / 10);
}

void describe_cuda() {
  const cuda::Availability there = cuda::availability();
  std::cout << "CUDA driver:      " << version_text(there.driver) << '\n'
            << "CUDA runtime:     " << version_text(there.runtime) << '\n'
            << "cuDNN:            " << there.cudnn << '\n';
  if (there.devices.empty()) std::cout << "GPU:              none can be used: " << there.reason << '\n';
  for (const cuda::DeviceInfo& d : there.devices) {
    std::cout << "cuda:" << d.number << ":           " << d.name << ", compute capability " << d.major << '.' << d.minor
              << ", " << d.multiprocessors << " multiprocessors, " << (d.memory >> 20) << " MiB";
    try {
      const Context<Cuda> context({.device = d.number, .host = {.threads = 1}});
      std::cout << ", " << (context.free_memory() >> 20) << " free\n";
    } catch (const CudaError& error) { std::cout << "; cannot be used: " << error.what() << '\n'; }
  }
}

#else

void describe_cuda() { std::cout << "GPU:              this program was built without CUDA\n"; }

#endif

}  // namespace

int doctor() {
  std::cout << "nucdet:           " << NUCDET_VERSION_STRING << '\n'
            << "processors:       " << std::thread::hardware_concurrency() << '\n'
            << "kernels:          ";
  for (const cpu::Kernels* kernels : cpu::available_kernels()) std::cout << kernels->name << ' ';
  std::cout << "(--kernels auto is " << cpu::best_kernels()->name << ")\n";
  describe_cuda();
  std::cout << "--device auto is: " << choose_device({}).line << '\n';
  return 0;
}

}  // namespace nucdet::program
