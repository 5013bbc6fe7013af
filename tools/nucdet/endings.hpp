#pragma once
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// How commands end: an exit code, one message on stderr if it is not 0, and a standard output that is whole.
namespace nucdet::program {

enum ExitCode {
  kDone = 0,
  kFailure = 1,
  kWrongUsage = 2,
  kSomeInputsFailed = 3,
  kFileProblem = 4,
  kOutOfMemory = 5,
  kFinishedEarly = 6,  ///< SIGTERM, SIGUSR1: after the image that was worked on
  kStopped = 130,      ///< as shells say of SIGINT
};

/// Puts something in the place of standard streams that are closed: else the next file to be opened would take their
/// number, and what is printed would go into it. Before anything else.
void keep_standard_streams();

/// Prints "nucdet: " and the message on stderr, with what a terminal would obey made visible.
void complain(std::string_view message);

/// Prints a line on stderr that is no complaint, made visible likewise.
void note(std::string_view line);

/// Runs a command. Exceptions become an exit code and a message; so does a standard output that is full or closed.
int guarded(const std::function<int()>& command);

/// What to say of an image at which this exception was thrown, beginning with the image's name, when the others go on.
/// Nothing if the command must end: it was stopped, the GPU failed, or the exception is a mistake of our own.
std::optional<std::string> failure_of(const std::exception_ptr& error, const std::filesystem::path& image);

}  // namespace nucdet::program
