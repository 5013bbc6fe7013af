#include <iostream>

#include "nucdet/cpu/kernels.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/version.hpp"

#include "commands.hpp"
#include "device.hpp"
#include "json_output.hpp"
#include "threads.hpp"

namespace nucdet::program {

namespace {

#ifdef NUCDET_WITH_CUDA

std::string version_text(int version) {
  return version == 0 ? "none" : message(version / 1000, '.', version % 1000 / 10);
}

Json look_at(const cuda::DeviceInfo& d) {
  Json device{{"number", d.number},
              {"name", d.name},
              {"compute_capability", message(d.major, '.', d.minor)},
              {"multiprocessors", d.multiprocessors},
              {"memory", d.memory}};
  try {
    const Context<Cuda> context({.device = d.number, .host = {.threads = 1}});
    device["free_memory"] = context.free_memory();
  } catch (const CudaError& error) { device["problem"] = error.what(); }
  return device;
}

/// What is found, as --json prints it.
Json look_for_cuda() {
  const cuda::Availability there = cuda::availability();
  Json devices = Json::array();
  for (const cuda::DeviceInfo& d : there.devices) devices.push_back(look_at(d));
  Json found{{"driver", version_text(there.driver)},
             {"runtime", version_text(there.runtime)},
             {"cudnn", there.cudnn},
             {"devices", devices}};
  if (there.devices.empty()) found["problem"] = there.reason;
  return found;
}

void print_cuda(const Json& found) {
  const auto text = [&](const char* key) { return found.at(key).get<std::string>(); };
  std::cout << "CUDA driver:      " << text("driver") << '\n'
            << "CUDA runtime:     " << text("runtime") << '\n'
            << "cuDNN:            " << text("cudnn") << '\n';
  if (found.contains("problem")) std::cout << "GPU:              none can be used: " << text("problem") << '\n';
  for (const Json& d : found.at("devices")) {
    std::cout << "cuda:" << d.at("number") << ":           " << d.at("name").get<std::string>()
              << ", compute capability " << d.at("compute_capability").get<std::string>() << ", "
              << d.at("multiprocessors") << " multiprocessors, " << (d.at("memory").get<std::size_t>() >> 20) << " MiB";
    if (d.contains("problem"))
      std::cout << "; cannot be used: " << d.at("problem").get<std::string>() << '\n';
    else
      std::cout << ", " << (d.at("free_memory").get<std::size_t>() >> 20) << " free\n";
  }
}

#else

Json look_for_cuda() { return nullptr; }
void print_cuda(const Json&) { std::cout << "GPU:              this program was built without CUDA\n"; }

#endif

}  // namespace

int doctor(const DoctorOptions& o) {
  const Processors there = look_for_processors();
  const ChosenThreads threads = choose_threads();
  const Json cuda = look_for_cuda();
  const std::string device = choose_device({}).line, openslide = slide::openslide_version();
  Json kernels = Json::array();
  for (const cpu::Kernels* each : cpu::available_kernels()) kernels.push_back(each->name);
  if (o.json) {
    print_json({{"nucdet", NUCDET_VERSION_STRING},
                {"processors", {{"machine", there.machine}, {"affinity", there.affinity}, {"quota", there.quota}}},
                {"threads", threads.count},
                {"threads_why", threads.why},
                {"kernels", kernels},
                {"best_kernels", cpu::best_kernels()->name},
                {"openslide", openslide.empty() ? Json() : Json(openslide)},
                {"cuda", cuda},
                {"device_auto", device}});
    return 0;
  }
  std::cout << "nucdet:           " << NUCDET_VERSION_STRING << '\n'
            << "processors:       " << there.available() << '\n'
            << "threads:          " << threads.count << " (" << threads.why << ")\n"
            << "kernels:          ";
  for (const Json& name : kernels) std::cout << name.get<std::string>() << ' ';
  std::cout << "(--kernels auto is " << cpu::best_kernels()->name << ")\n";
  std::cout << "OpenSlide:        "
            << (openslide.empty() ? "goes without it: of slides, SVS and tiled TIFF are read; for "
                                    "NDPI, MRXS, ... install libopenslide0, and before building libopenslide-dev"
                                  : openslide)
            << '\n';
  print_cuda(cuda);
  std::cout << "--device auto is: " << device << '\n';
  return 0;
}

}  // namespace nucdet::program
