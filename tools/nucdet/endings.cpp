#include "endings.hpp"

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <new>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "nucdet/core/error.hpp"
#include "nucdet/core/printable.hpp"
#include "nucdet/core/watch.hpp"

namespace nucdet::program {

namespace {

constexpr const char* kOutOfMemoryText =
    "out of memory (smaller tiles, crops or batches, a smaller --scale and fewer --threads need less)";

struct Ending {
  int code;
  std::string message;
};

/// A thread that cannot be started lacks memory for its stack.
bool is_out_of_memory(const std::system_error& error) {
  return error.code() == std::errc::resource_unavailable_try_again || error.code() == std::errc::not_enough_memory;
}

Ending ending_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const ArgumentError& error) { return {kWrongUsage, error.what()}; } catch (const IoError& error) {
    return {kFileProblem, error.what()};
  } catch (const Stopped& error) { return {kStopped, error.what()}; } catch (const std::bad_alloc&) {
    return {kOutOfMemory, kOutOfMemoryText};
  } catch (const std::length_error&) {  // of a container, before it asks for memory
    return {kOutOfMemory, kOutOfMemoryText};
  } catch (const std::filesystem::filesystem_error& error) {
    return {kFileProblem, error.what()};
  } catch (const std::system_error& error) {
    if (is_out_of_memory(error)) return {kOutOfMemory, kOutOfMemoryText};
    return {kFailure, error.what()};
  } catch (const std::exception& error) { return {kFailure, error.what()}; }
}

/// What was printed may still be in a buffer, and a full disk is told when that is written. Empty if all is well.
std::string output_problem() {
  errno = 0;
  std::cout.flush();
  const bool written = std::fflush(stdout) == 0;
  if (written && std::cout.good() && std::ferror(stdout) == 0) return {};
  return message("the standard output cannot be written: ",
                 errno == 0 ? "a write failed" : std::generic_category().message(errno));
}

}  // namespace

void keep_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
    // Opened the other way round, so that using input and output fails as it would have. stderr may be lost.
    if (open("/dev/null", stream == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != stream) _exit(kFailure);
  }
}

void complain(std::string_view message) { std::cerr << "nucdet: " << printable_message(message) << '\n'; }

int guarded(const std::function<int()>& command) {
  int code = kFailure;
  try {
    code = command();
  } catch (...) {
    const Ending ending = ending_of(std::current_exception());
    complain(ending.message);
    code = ending.code;
  }
  const std::string problem = output_problem();
  if (problem.empty()) return code;
  complain(problem);
  return code == kDone ? kFileProblem : code;
}

void note(std::string_view line) { std::cerr << printable_message(line) << '\n'; }

std::optional<std::string> failure_of(const std::exception_ptr& error, const std::filesystem::path& image) {
  const auto named = [&](const std::string& what) {
    const std::string name = image.string();
    return what.find(name) == std::string::npos ? message(name, ": ", what) : what;
  };
  try {
    std::rethrow_exception(error);
  } catch (const Stopped&) { return std::nullopt; } catch (const CudaError&) {
    return std::nullopt;
  } catch (const Error& wrong) { return named(wrong.what()); } catch (const std::bad_alloc&) {
    return named(kOutOfMemoryText);
  } catch (const std::length_error&) { return named(kOutOfMemoryText); } catch (const std::system_error& wrong) {
    return named(is_out_of_memory(wrong) ? kOutOfMemoryText : wrong.what());  // of the file system too
  } catch (...) { return std::nullopt; }
}

}  // namespace nucdet::program
