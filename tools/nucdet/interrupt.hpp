#pragma once
#include <stop_token>

namespace nucdet::program {

/// While it lives, signals ask the work to end in order: Ctrl-C (SIGINT), SIGTERM, and SIGUSR1, which clusters send
/// before a job's time is up. One at a time.
class Interrupt {
 public:
  enum class Ending {
    at_once,      ///< every signal stops the work; a second one ends the program
    after_piece,  ///< SIGTERM and SIGUSR1 let the image in work be finished; SIGINT or a second signal stops the work,
                  ///< one more ends the program
  };

  explicit Interrupt(Ending ending = Ending::at_once);
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  std::stop_token token() const { return source_.get_token(); }
  /// Passes a signal that came on to the token. Called by the work: a handler may do next to nothing.
  void poll();
  /// Whether nothing new should be begun.
  bool finish_requested() const;

 private:
  std::stop_source source_;
};

}  // namespace nucdet::program
