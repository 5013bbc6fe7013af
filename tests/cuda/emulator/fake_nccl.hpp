#pragma once
#include <cstddef>
#include <string>

/// An NCCL without GPUs: ranks are threads of one process, each with a stream of the emulated device. Numbers are moved
/// when the streams of both ends have come to them, never earlier, and calls answer "in progress" first, so that a
/// caller who does not ask again goes wrong. Misuse that the real one allows or does not notice is an error.
namespace nucdet_test {

/// What NCCL is to the calling thread, a rank. Each has its own.
struct FakeNccl {
  std::string problem{};  ///< why there is none
  int version = 22105;
  int polls = 3;          ///< how often it says "in progress" before anything is done
  std::string failing{};  ///< the function that fails, "ncclSend"; "later": what was begun, when it is asked for
  int after = 0;          ///< how often it does its work first
  bool silent = false;    ///< what is queued from now on never meets the others', as if the rank had died
};
FakeNccl& fake_nccl();

/// Communicators that have been neither destroyed nor aborted, and those that were aborted.
std::size_t fake_nccl_communicators();
std::size_t fake_nccl_aborted();

}  // namespace nucdet_test
