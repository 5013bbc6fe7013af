#pragma once
#include <cstdio>
#include <string>

#include "nucdet/core/context.hpp"

#include "commands.hpp"

/// Where a command computes: chosen once, said in one line, never changed on the way.
namespace nucdet::program {

/// What was chosen and why.
struct ChosenDevice {
  bool cuda = false;
  int number = 0;
  Precision precision = Precision::fp32;
  std::string line;     ///< "cuda:0, NVIDIA H200, bf16", or "cpu, avx2: no NVIDIA driver is installed"
  std::string name;     ///< what results say of it: "cuda, NVIDIA H200, bf16", "cpu, avx2, exact"
  std::string numbers;  ///< what their last bits depend on: "cuda, bf16", "cpu, avx2"
};

/// auto takes a GPU that can be used, else the processor; cuda and cuda:N take that or throw CudaError, saying why.
/// Throws ArgumentError for other words, and for a precision that the device has not. ranks: see models::device_named.
ChosenDevice choose_device(const DeviceOptions& options, Ranks* ranks = nullptr);

/// The processor's kernels that are asked for. Throws ArgumentError for a name that there is not.
const cpu::Kernels* kernels_of(const DeviceOptions& options);

/// The threads that are asked for, or as many as the job has processors.
int threads_of(const DeviceOptions& options);

/// What a command wants of its context beside what the user says.
struct ContextSettings {
  std::uint64_t seed = 0;
  bool measure = false;  ///< see CudaOptions
};

/// Calls body(context) with a context of the chosen device and prints the choice on stderr unless it is quiet.
template <class Body>
int on_device(const ChosenDevice& chosen, const DeviceOptions& options, const ContextSettings& settings, bool quiet,
              const Body& body) {
  if (!quiet) std::fprintf(stderr, "device: %s\n", chosen.line.c_str());
  CpuOptions host{.threads = threads_of(options), .seed = settings.seed, .kernels = kernels_of(options)};
  if (options.exact) host.convolution = ConvolutionMethod::direct;
#ifdef NUCDET_WITH_CUDA
  if (chosen.cuda) {
    Context<Cuda> context({.seed = settings.seed,
                           .precision = chosen.precision,
                           .device = chosen.number,
                           .measure = settings.measure,
                           .fuse = options.fuse,
                           .host = host});
    return body(context);
  }
#endif
  Context<Cpu> context(host);
  return body(context);
}
template <class Body>
int on_device(const DeviceOptions& options, const ContextSettings& settings, bool quiet, const Body& body) {
  return on_device(choose_device(options), options, settings, quiet, body);
}

}  // namespace nucdet::program
