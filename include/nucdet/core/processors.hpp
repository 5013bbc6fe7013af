#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>

#include "nucdet/core/config.hpp"
#ifdef NUCDET_INLINE
#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif
#endif

/// How many processors a process may use, which on shared machines and in containers is less than the machine has.
namespace nucdet {

struct Processors {
  int machine = 1;   ///< of the machine
  int affinity = 1;  ///< that the process may run on (taskset, cpusets, most schedulers of clusters)
  double quota = 0;  ///< whose time the process's control group may take (containers); 0: no limit

  /// The least of them, a part of a processor counted as one.
  int available() const {
    const int most = quota > 0 && quota < affinity ? static_cast<int>(std::ceil(quota)) : affinity;
    return std::max(1, most);
  }
};

/// What there is now. Environment variables are not asked: they are a program's matter.
Processors look_for_processors();

/// The processors that this process may use: what `CpuOptions::threads` of 0 stands for.
int available_processors();

namespace detail {

/// The text of a file, or nothing where there is none.
using TextOfFile = std::function<std::optional<std::string>(const std::string& path)>;

/// The least limit of the control groups that /proc/self/cgroup names and of those above them, in processors; 0 without
/// one. Both versions: cpu.max, and cpu.cfs_quota_us with cpu.cfs_period_us.
double processor_quota(const TextOfFile& read);

}  // namespace detail

#ifdef NUCDET_INLINE

namespace detail {

/// "200000 100000", of which the first may be "max" or -1, as processors; 0 for no limit.
inline double quota_of(std::string_view quota, std::string_view period) {
  const auto number = [](std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end != text.data() ? value : 0.0;
  };
  const double microseconds = number(quota), of = number(period);
  return microseconds > 0 && of > 0 ? microseconds / of : 0;
}

/// The limit of one group, of either version.
inline double quota_in(const TextOfFile& read, const std::string& group, bool second_version) {
  if (second_version) {
    const std::string text = read(group + "/cpu.max").value_or("");
    const std::size_t space = text.find(' ');
    return space == std::string::npos ? 0 : quota_of(std::string_view(text).substr(0, space), text.substr(space + 1));
  }
  return quota_of(read(group + "/cpu.cfs_quota_us").value_or(""), read(group + "/cpu.cfs_period_us").value_or(""));
}

/// The least limit from a group up to the root of its tree: inside a container the path may be the host's, of which
/// only the root is seen.
inline double least_quota(const TextOfFile& read, const std::string& root, std::string path, bool second_version) {
  double least = 0;
  for (;;) {
    const double quota = quota_in(read, root + (path == "/" ? "" : path), second_version);
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
    const std::size_t slash = path.find_last_of('/');
    if (path.size() <= 1 || slash == std::string::npos) return least;
    path.resize(std::max<std::size_t>(1, slash));
  }
}

}  // namespace detail

NUCDET_INLINE double detail::processor_quota(const TextOfFile& read) {
  const std::string groups = read("/proc/self/cgroup").value_or("");
  double least = 0;
  const auto take = [&](double quota) {
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
  };
  for (std::size_t at = 0; at < groups.size();) {  // lines "4:cpu,cpuacct:/path", of version 2 "0::/path"
    const std::size_t end = std::min(groups.find('\n', at), groups.size());
    const std::string line = groups.substr(at, end - at);
    at = end + 1;
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',',
                      path = line.substr(second + 1);
    if (path.empty() || path[0] != '/') continue;
    if (controllers == ",,")
      for (const char* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) take(least_quota(read, root, path, true));
    else if (controllers.find(",cpu,") != std::string::npos)
      for (const char* root : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"})
        take(least_quota(read, root, path, false));
  }
  return least;
}

NUCDET_INLINE Processors look_for_processors() {
  Processors found;
  found.machine = found.affinity = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
#if defined(__linux__)
  if (const long online = sysconf(_SC_NPROCESSORS_ONLN); online > 0) found.machine = static_cast<int>(online);
  // The kernel refuses a set that is smaller than its own.
  for (std::size_t most = 1024; most <= 1 << 20; most *= 4) {
    cpu_set_t* set = CPU_ALLOC(most);
    if (set == nullptr) break;
    const bool known = sched_getaffinity(0, CPU_ALLOC_SIZE(most), set) == 0;
    if (known) found.affinity = std::max(1, CPU_COUNT_S(CPU_ALLOC_SIZE(most), set));
    CPU_FREE(set);
    if (known) break;
  }
  found.quota = detail::processor_quota([](const std::string& path) -> std::optional<std::string> {
    std::ifstream in(path);
    if (!in) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), {});
  });
#endif
  return found;
}

NUCDET_INLINE int available_processors() { return look_for_processors().available(); }

#endif

}  // namespace nucdet
