// Compiled with nucdet::cpu, in one program with of_headers.cpp.
#include <iostream>

#include <nucdet/cpu/kernels.hpp>

const nucdet::cpu::Kernels* kernels_of_headers();

int main() {
  const nucdet::Context<nucdet::Cpu> context({.threads = 1});
  if (context.kernels() == nullptr) std::cerr << "nucdet::cpu brings no kernels\n";
  if (kernels_of_headers() != context.kernels()) std::cerr << "files of the headers alone do not find them\n";
  return context.kernels() != nullptr && kernels_of_headers() == context.kernels() ? 0 : 1;
}
