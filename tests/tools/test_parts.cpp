// Parts of the program that are not seen from the outside one by one.
#include <csignal>
#include <cstdio>
#include <map>
#include <new>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include "nucdet/core/watch.hpp"

#include "endings.hpp"
#include "interrupt.hpp"
#include "io/temporary_folder.hpp"
#include "progress.hpp"
#include "suggestions.hpp"
#include "support/catch.hpp"
#include "threads.hpp"

using namespace nucdet;
using namespace nucdet::program;
using Catch::Matchers::Contains;

namespace {

template <class Thrown>
std::optional<std::string> failure(const Thrown& thrown) {
  return failure_of(std::make_exception_ptr(thrown), "folder/a.png");
}

/// What `action` prints on stderr.
template <class Action>
std::string stderr_of(const Action& action) {
  const TemporaryFolder folder;
  std::fflush(stderr);
  const int before = dup(2), file = open((folder / "err").c_str(), O_CREAT | O_WRONLY, 0600);
  dup2(file, 2);
  action();
  std::fflush(stderr);
  dup2(before, 2);
  close(before), close(file);
  return contents_of(folder / "err");
}

}  // namespace

TEST_CASE("the word that was meant") {
  const std::vector<std::string> known{"--threshold", "--threads", "--tile", "--out", "-o", "--no-fuse"};
  CHECK(likely("--treshold", known) == "--threshold");
  CHECK(likely("--thershold", known) == "--threshold");
  CHECK(likely("--thr", known) == "--threshold");
  CHECK(likely("--thread", known) == "--threads");
  CHECK(likely("--ouut", known) == "--out");
  CHECK(likely("--nonsense", known).empty());
  CHECK(likely("-x", known).empty());
  CHECK(likely("", known).empty());
  CHECK(likely(std::string(100000, 'x'), known).empty());
  CHECK(suggestion("detct", {"detect", "doctor"}) == ", did you mean 'detect'?");
  CHECK(suggestion("paint", {"detect", "doctor"}).empty());
}

TEST_CASE("threads of a job: what may be used, and less where a scheduler or OpenMP says so") {
  const auto with = [](std::map<std::string, const char*> variables, const Processors& there) {
    return choose_threads(there, [&](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second;
    });
  };
  const Processors eight{.machine = 64, .affinity = 8, .quota = 0};
  CHECK(with({}, eight).count == 8);
  CHECK(with({}, {.machine = 64, .affinity = 8, .quota = 1.5}).count == 2);
  CHECK(with({{"SLURM_CPUS_PER_TASK", "3"}}, eight).count == 3);
  CHECK(with({{"OMP_NUM_THREADS", "2,4"}}, eight).count == 2);
  CHECK(with({{"OMP_NUM_THREADS", "5"}, {"SLURM_CPUS_PER_TASK", "4"}}, eight).count == 4);
  CHECK(with({{"SLURM_CPUS_PER_TASK", "128"}}, eight).count == 8);
  for (const char* text : {"", "0", "-2", "many", "3x", "99999999999999999999"})
    CHECK(with({{"OMP_NUM_THREADS", text}}, eight).count == 8);
  CHECK_THAT(with({{"SLURM_CPUS_PER_TASK", "3"}}, eight).why,
             Contains("8 of 64 processors") && Contains("SLURM_CPUS_PER_TASK is 3"));
}

TEST_CASE("what fails at an image names it, what ends the command does not") {
  CHECK(failure(IoError("folder/a.png: ends early")) == "folder/a.png: ends early");
  CHECK(failure(ArgumentError("100 x 100 pixels")) == "folder/a.png: 100 x 100 pixels");
  CHECK_THAT(*failure(std::bad_alloc()), Contains("folder/a.png: out of memory"));
  CHECK_THAT(*failure(std::length_error("vector")), Contains("folder/a.png: out of memory"));
  CHECK_THAT(*failure(std::filesystem::filesystem_error("status", std::make_error_code(std::errc::io_error))),
             Contains("folder/a.png: "));
  CHECK(!failure(Stopped("stopped")));
  CHECK(!failure(CudaError("lost")));
  CHECK(!failure(std::logic_error("ours")));
}

TEST_CASE("exceptions become exit codes and one message") {
  int code = -1;
  const auto told = [&](const auto& thrown) {
    return stderr_of([&] { code = guarded([&]() -> int { throw thrown; }); });
  };
  CHECK((told(ArgumentError("a\x1b[2J")) == "nucdet: a\\x1b[2J\n" && code == kWrongUsage));
  CHECK((told(IoError("b:\n  c")) == "nucdet: b:\n  c\n" && code == kFileProblem));
  CHECK((told(Stopped("d")) == "nucdet: d\n" && code == kStopped));
  CHECK((told(std::runtime_error("e")) == "nucdet: e\n" && code == kFailure));
  CHECK_THAT(told(std::bad_alloc()), Contains("out of memory"));
  CHECK(code == kOutOfMemory);
  told(std::filesystem::filesystem_error("f", std::make_error_code(std::errc::io_error)));
  CHECK(code == kFileProblem);
  CHECK(guarded([] { return 3; }) == 3);
}

TEST_CASE("signals: to finish the image in work, then to stop") {
  {
    Interrupt interrupt(Interrupt::Ending::after_piece);
    interrupt.poll();
    CHECK((!interrupt.finish_requested() && !interrupt.token().stop_requested()));
    std::raise(SIGUSR1);
    interrupt.poll();
    CHECK((interrupt.finish_requested() && !interrupt.token().stop_requested()));
    std::raise(SIGTERM);
    interrupt.poll();
    CHECK(interrupt.token().stop_requested());
  }
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    Interrupt interrupt;
    std::raise(signal);
    interrupt.poll();
    CHECK(interrupt.token().stop_requested());
  }
  Interrupt interrupt(Interrupt::Ending::after_piece);
  std::raise(SIGINT);
  interrupt.poll();
  CHECK(interrupt.token().stop_requested());
}

TEST_CASE("progress within an image, also while nothing is told") {
  const std::string told = stderr_of([] {
    ImageProgress progress(2, false, std::chrono::milliseconds(20));
    progress.begin("a\tb.png");
    progress.tiles(3, 8);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    progress.end();
    progress.begin("c.png");
    progress.end();
  });
  CHECK_THAT(told, Contains("image 0/2  a\\x09b.png, tile 3/8  left") && Contains("image 2/2  c.png"));
  CHECK(std::count(told.begin(), told.end(), '\n') >= 3);
  CHECK(stderr_of([] {
          ImageProgress quiet(1, true, std::chrono::milliseconds(1));
          quiet.begin("a.png"), quiet.tiles(1, 2), quiet.end();
        }).empty());
  // Quick work says one line, at its end.
  const std::string once = stderr_of([] {
    ImageProgress progress(1, false);
    progress.begin("a.png"), progress.tiles(1, 1), progress.end();
  });
  CHECK(std::count(once.begin(), once.end(), '\n') == 1);
}
