#include "progress.hpp"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include "nucdet/core/error.hpp"

namespace nucdet::program {

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::max(0.0, seconds));
  if (s >= 3600) return message(s / 3600, " h ", s / 60 % 60, " min");
  if (s >= 60) return message(s / 60, " min ", s % 60, " s");
  return message(s, " s");
}

Progress::Progress(std::string what, std::int64_t total, std::int64_t done, bool quiet)
    : what_(std::move(what)),
      total_(total),
      start_(done),
      quiet_(quiet),
      terminal_(isatty(2) == 1),
      begin_(std::chrono::steady_clock::now()),
      last_(begin_ - std::chrono::hours(1)) {}

Progress::~Progress() {
  if (terminal_ && drawn_) std::fputc('\n', stderr);
}

void Progress::update(std::int64_t done, const std::string& note) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  const double since_last = std::chrono::duration<double>(now - last_).count();
  if (done < total_ && since_last < (terminal_ ? 0.2 : 30.0)) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const double rate = static_cast<double>(done - start_) / std::max(seconds, 1e-9);
  const std::string left = done > start_ ? duration_text(static_cast<double>(total_ - done) / rate) : "?";
  const std::string line = message(what_, ' ', done, '/', total_, "  ", note, "  left ", left);
  if (terminal_)
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  else
    std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace nucdet::program
