#pragma once
/// CUDA's device language for a host compiler: a kernel is a plain function, called once for each thread.

#include <tuple>
#include <type_traits>
#include <utility>

#include "cuda_runtime_api.h"
#include "emulator.hpp"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
// Blocks run one after another on one thread, so one copy serves them all.
#define __shared__ static

extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
inline constexpr int warpSize = 32;

inline void __syncthreads() { emulator::barrier(); }

template <class T>
T __ldg(const T* address) {
  return *address;
}

namespace emulator {

template <class T>
T add_and_return_old(T* address, T value) {
  const T old = *address;
  *address = old + value;
  return old;
}

template <class T>
void check_argument(T value) {
  if constexpr (std::is_pointer_v<T>) {
    if constexpr (!std::is_function_v<std::remove_pointer_t<T>>) check_kernel_pointer(value);
  }
}

template <class... P>
struct Call {
  void (*kernel)(P...);
  std::tuple<P...> values;

  static void run(const void* call) {
    const auto& self = *static_cast<const Call*>(call);
    std::apply(self.kernel, self.values);
  }
};

}  // namespace emulator

inline int atomicAdd(int* address, int value) { return emulator::add_and_return_old(address, value); }
inline unsigned int atomicAdd(unsigned int* address, unsigned int value) {
  return emulator::add_and_return_old(address, value);
}
inline unsigned long long atomicAdd(unsigned long long* address, unsigned long long value) {
  return emulator::add_and_return_old(address, value);
}
inline float atomicAdd(float* address, float value) { return emulator::add_and_return_old(address, value); }
inline double atomicAdd(double* address, double value) { return emulator::add_and_return_old(address, value); }

template <class T>
cudaError_t cudaMalloc(T** pointer, size_t size) {
  return cudaMalloc(reinterpret_cast<void**>(pointer), size);
}

template <class T>
cudaError_t cudaHostAlloc(T** pointer, size_t size, unsigned int flags) {
  return cudaHostAlloc(reinterpret_cast<void**>(pointer), size, flags);
}

template <class... P, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(P...), A&&... arguments) {
  static_assert(sizeof...(P) == sizeof...(A), "a kernel takes all its arguments");
  static_assert((std::is_convertible_v<A&&, P> && ...), "arguments must convert to the kernel's parameters");
  static_assert((std::is_trivially_copyable_v<P> && ...), "CUDA copies the bytes of a kernel's arguments");
  if (kernel == nullptr) return emulator::launch(nullptr, {});
  auto call = std::make_shared<emulator::Call<P...>>(
      emulator::Call<P...>{kernel, std::tuple<P...>(static_cast<P>(std::forward<A>(arguments))...)});
  std::apply([](const auto&... values) { (emulator::check_argument(values), ...); }, call->values);
  return emulator::launch(config, {std::move(call), &emulator::Call<P...>::run});
}
