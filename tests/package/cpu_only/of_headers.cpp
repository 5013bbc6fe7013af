// Compiled with the headers alone.
#include <nucdet/core/context.hpp>

const nucdet::cpu::Kernels* kernels_of_headers() {
  const nucdet::Context<nucdet::Cpu> context({.threads = 1});
  return context.kernels();
}
