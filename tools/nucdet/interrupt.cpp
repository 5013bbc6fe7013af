#include "interrupt.hpp"

#include <csignal>

namespace nucdet::program {

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGUSR1};
volatile std::sig_atomic_t finishes_first = 0, finish = 0, stop = 0;

void take(int signal) {
  if (finishes_first != 0 && signal != SIGINT && finish == 0) {
    finish = 1;
    return;
  }
  finish = 1;
  stop = 1;
  for (const int any : kSignals) std::signal(any, SIG_DFL);
}

}  // namespace

Interrupt::Interrupt(Ending ending) {
  finishes_first = ending == Ending::after_piece ? 1 : 0;
  finish = 0;
  stop = 0;
  for (const int signal : kSignals)
    if (std::signal(signal, take) == SIG_IGN) std::signal(signal, SIG_IGN);  // as nohup and shells want it
}

Interrupt::~Interrupt() {
  for (const int signal : kSignals)
    if (std::signal(signal, SIG_DFL) == SIG_IGN) std::signal(signal, SIG_IGN);
}

void Interrupt::poll() {
  if (stop != 0) source_.request_stop();
}

bool Interrupt::finish_requested() const { return finish != 0; }

}  // namespace nucdet::program
