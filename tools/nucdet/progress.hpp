#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace nucdet::program {

/// A line on stderr that is redrawn when stderr is a terminal, and else a plain line now and then.
class Progress {
 public:
  Progress(std::string what, std::int64_t total, std::int64_t done, bool quiet);
  ~Progress();
  /// `note` is shown at the end of the line.
  void update(std::int64_t done, const std::string& note);
  bool terminal() const { return terminal_; }

 private:
  std::string what_;
  std::int64_t total_, start_;
  bool quiet_, terminal_, drawn_ = false;
  std::chrono::steady_clock::time_point begin_, last_;
};

/// "1 h 02 min", "3 min 20 s", "12 s"
std::string duration_text(double seconds);

}  // namespace nucdet::program
