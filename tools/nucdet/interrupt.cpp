#include "interrupt.hpp"

#include <csignal>

namespace nucdet::program {

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
volatile std::sig_atomic_t came = 0;

void take(int) {
  came = 1;
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
}

}  // namespace

Interrupt::Interrupt() {
  came = 0;
  for (const int signal : kSignals)
    if (std::signal(signal, take) == SIG_IGN) std::signal(signal, SIG_IGN);  // as nohup and shells want it
}

Interrupt::~Interrupt() {
  for (const int signal : kSignals)
    if (std::signal(signal, SIG_DFL) == SIG_IGN) std::signal(signal, SIG_IGN);
}

void Interrupt::poll() {
  if (came != 0) source_.request_stop();
}

}  // namespace nucdet::program
