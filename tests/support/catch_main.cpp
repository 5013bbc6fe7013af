#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

/// Tests that need what a machine may not have define this: true, once it has said why, skips them all.
[[gnu::weak]] bool tests_cannot_run();

int main(int argc, char** argv) {
  if (tests_cannot_run != nullptr && tests_cannot_run()) return 77;  // ctest's "skipped"
  return Catch::Session().run(argc, argv);
}
