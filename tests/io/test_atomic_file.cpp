#include "nucdet/io/atomic_file.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {
std::size_t files_in(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}
}  // namespace

TEST_CASE("a file is replaced whole, or stays as it was") {
  const TemporaryFolder folder;
  const auto path = folder / "weights";
  write_atomically(path, "first");
  CHECK(contents_of(path) == "first");
  {
    AtomicFile file(path);
    file.write("half of the sec");
    CHECK(contents_of(path) == "first");
    CHECK(files_in(folder) == 2);
  }
  CHECK(contents_of(path) == "first");
  CHECK(files_in(folder) == 1);
  AtomicFile file(path), other(path);
  file.write("second");
  other.write("third");
  file.commit();
  CHECK(contents_of(path) == "second");
  other.commit();
  CHECK(contents_of(path) == "third");
  CHECK(files_in(folder) == 1);
}

TEST_CASE("links are followed, devices are written in place") {
  const TemporaryFolder folder;
  put(folder / "real", "old");
  std::filesystem::create_symlink(folder / "real", folder / "link");
  write_atomically(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(contents_of(folder / "real") == "new");
  write_atomically("/dev/null", "nothing");
  CHECK_FALSE(std::filesystem::is_regular_file("/dev/null"));
}

TEST_CASE("a file that cannot be written is an IoError with its name") {
  const TemporaryFolder folder;
  const auto missing = folder / "no-such-folder" / "file";
  CHECK(error_of<IoError>([&] { write_atomically(missing, "x"); }).find(missing.string()) == 0);
  CHECK(error_of<IoError>([&] { write_atomically(folder.path(), "x"); }).find("is a folder") != std::string::npos);
  if (std::filesystem::exists("/dev/full")) CHECK_THROWS_AS(write_atomically("/dev/full", "x"), IoError);
}
