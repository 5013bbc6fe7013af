#include <map>

#include "nucdet/core/processors.hpp"
#include "nucdet/core/thread_pool.hpp"

#include "support/catch.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

using namespace nucdet;

namespace {

/// The limit that these files tell.
double quota_of(std::map<std::string, std::string> files) {
  return detail::processor_quota([&](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  });
}

}  // namespace

TEST_CASE("control groups of version 2: the least limit from the group to the root") {
  CHECK(quota_of({}) == 0);
  CHECK(quota_of({{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "max 100000\n"}}) == 0);
  CHECK(quota_of({{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "250000 100000\n"}}) == 2.5);
  CHECK(quota_of({{"/proc/self/cgroup", "0::/job/step\n"},
                  {"/sys/fs/cgroup/job/step/cpu.max", "800000 100000\n"},
                  {"/sys/fs/cgroup/job/cpu.max", "300000 100000\n"}}) == 3);
  // A container sees the root of its own tree, and may be told the host's path.
  CHECK(quota_of({{"/proc/self/cgroup", "0::/system/docker-1\n"}, {"/sys/fs/cgroup/cpu.max", "50000 100000\n"}}) ==
        0.5);
}

TEST_CASE("control groups of version 1") {
  const std::string groups = "5:memory:/x\n4:cpu,cpuacct:/slurm/job_7\n0::/\n";
  CHECK(quota_of({{"/proc/self/cgroup", groups},
                  {"/sys/fs/cgroup/cpu,cpuacct/slurm/job_7/cpu.cfs_quota_us", "400000\n"},
                  {"/sys/fs/cgroup/cpu,cpuacct/slurm/job_7/cpu.cfs_period_us", "100000\n"}}) == 4);
  CHECK(quota_of({{"/proc/self/cgroup", groups},
                  {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
                  {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}) == 0);
  // cpuacct alone and cpuset limit no time.
  CHECK(quota_of({{"/proc/self/cgroup", "2:cpuacct:/a\n3:cpuset:/a\n"},
                  {"/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000\n"},
                  {"/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n"}}) == 0);
}

TEST_CASE("files of control groups that say nothing sensible are no limit") {
  for (const char* text : {"", "max", "0 100000", "-5 100000", "nan nan", "100000 0", "x y", "100000"})
    CHECK(quota_of({{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", text}}) == 0);
  for (const char* text : {"", "nonsense", "0:", "0::", "0::relative", "::::/"})
    CHECK(quota_of({{"/proc/self/cgroup", text}, {"/sys/fs/cgroup/cpu.max", "100000 100000"}}) <= 1);
}

TEST_CASE("processors that may be used: the affinity mask, and the time of the control group rounded up") {
  CHECK(Processors{.machine = 64, .affinity = 8, .quota = 0}.available() == 8);
  CHECK(Processors{.machine = 64, .affinity = 8, .quota = 2.5}.available() == 3);
  CHECK(Processors{.machine = 64, .affinity = 2, .quota = 16}.available() == 2);
  CHECK(Processors{.machine = 64, .affinity = 8, .quota = 0.1}.available() == 1);
  CHECK(ThreadPool(0).workers() == available_processors());
}

#if defined(__linux__)
TEST_CASE("the affinity mask of this process") {
  cpu_set_t before, one;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  CHECK(look_for_processors().affinity == CPU_COUNT(&before));
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(available_processors() == 1);
  CHECK(ThreadPool(0).workers() == 1);
  REQUIRE(sched_setaffinity(0, sizeof before, &before) == 0);
}
#endif
