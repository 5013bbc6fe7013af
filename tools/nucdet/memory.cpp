#include "memory.hpp"

#include <algorithm>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace nucdet::program {

double memory_of_tiles(const nn::Plan& network, Index window, std::size_t read, std::size_t in_work) {
  const double pixels = static_cast<double>(window) * static_cast<double>(window);
  constexpr double kFinest = 4, kBytes = 3, kFloats = 12;  // a pixel's; slides at 80x have four for one
  return 4 * static_cast<double>(network.held_elements) + static_cast<double>(read) * kFinest * kBytes * pixels +
         static_cast<double>(in_work) * kFloats * pixels;
}

double memory_left(Index megabytes) {
  constexpr double kWriting = 32e6;  // of results, and what threads take for themselves
  double pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return static_cast<double>(megabytes) * 1e6 - resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) - kWriting;
}

void limit_memory(Index megabytes) {
  // Of data: address space that is only reserved does not count.
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(megabytes) * 1'000'000);
  ::setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace nucdet::program
