#pragma once
#include <stop_token>

namespace nucdet::program {

/// While it lives, a first Ctrl-C (SIGINT) or SIGTERM asks the work to end in order; a second one ends the program. One
/// at a time.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  std::stop_token token() const { return source_.get_token(); }
  /// Passes a signal that came on to the token. Called by the work: a handler may do next to nothing.
  void poll();

 private:
  std::stop_source source_;
};

}  // namespace nucdet::program
