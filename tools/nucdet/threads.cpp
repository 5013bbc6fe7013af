#include "threads.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "nucdet/core/error.hpp"

namespace nucdet::program {

ChosenThreads choose_threads(const Processors& there, const std::function<const char*(const char*)>& variable) {
  ChosenThreads chosen{there.available(), message(there.affinity, " of ", there.machine, " processors may be used")};
  if (there.quota > 0) chosen.why += message(", the control group has the time of ", there.quota);
  for (const char* name : {"SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"}) {
    const char* text = variable(name);
    if (text == nullptr || *text == '\0') continue;
    const std::string_view word = text;
    int count = 0;
    // OpenMP's is a list, a number a level of nesting; ours is the first.
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
    const bool whole = end == word.data() + word.size() || *end == ',';
    const bool number = error == std::errc() && whole && count > 0;
    chosen.why += message(", ", name, " is ", number ? message(count) : "no number above 0");
    if (number && count < chosen.count) chosen.count = count;
  }
  return chosen;
}

ChosenThreads choose_threads() {
  return choose_threads(look_for_processors(), [](const char* name) { return std::getenv(name); });
}

}  // namespace nucdet::program
