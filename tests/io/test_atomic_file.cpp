#include <atomic>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/content_hash.hpp"
#include "nucdet/io/file_lock.hpp"
#include "nucdet/io/folder_lock.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}
std::size_t files_in(const TemporaryFolder& folder) { return files_in(folder.path()); }

unsigned mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777u;
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

TEST_CASE("many small writes and few large ones give the same file") {
  const TemporaryFolder folder;
  std::string all;
  AtomicFile file(folder / "a");
  for (std::size_t k = 0; k < 400; ++k) {
    const std::string piece(k % 97 == 0 ? 70'000 : k, static_cast<char>('a' + k % 26));
    file.write(piece);
    all += piece;
  }
  file.commit();
  CHECK(contents_of(folder / "a") == all);
}

TEST_CASE("links are followed, devices are written in place") {
  const TemporaryFolder folder;
  put(folder / "real", "old");
  std::filesystem::create_symlink(folder / "real", folder / "link");
  std::filesystem::create_symlink("link", folder / "second");
  for (const char* name : {"link", "second"}) {
    write_atomically(folder / name, name);
    CHECK(std::filesystem::is_symlink(folder / name));
    CHECK(contents_of(folder / "real") == name);
  }
  write_atomically("/dev/null", "nothing");
  CHECK_FALSE(std::filesystem::is_regular_file("/dev/null"));
}

TEST_CASE("a link to nothing is followed too, where there is a folder to follow it to") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "below");
  std::filesystem::create_symlink("below/made", folder / "link");
  write_atomically(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(contents_of(folder / "below" / "made") == "new");
  std::filesystem::create_symlink(folder / "nowhere" / "made", folder / "astray");
  const std::string error = error_of<IoError>([&] { write_atomically(folder / "astray", "new"); });
  CHECK_THAT(error, Catch::Matchers::Contains("astray: is a link to") && Catch::Matchers::Contains("nowhere"));
  CHECK(std::filesystem::is_symlink(std::filesystem::symlink_status(folder / "astray")));
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  CHECK_THAT(error_of<IoError>([&] { write_atomically(folder / "a", "new"); }), Catch::Matchers::Contains("circle"));
}

TEST_CASE("a file that is replaced hands on its mode, a new one has that of the process") {
  const TemporaryFolder folder;
  const mode_t old = ::umask(027);
  write_atomically(folder / "new", "x");
  CHECK(mode_of(folder / "new") == 0640);
  for (const unsigned mode : {0600u, 0644u, 0666u, 0755u}) {
    std::filesystem::permissions(folder / "new", static_cast<std::filesystem::perms>(mode));
    {
      AtomicFile file(folder / "new");  // nor is it open to others while it is written
      for (const auto& entry : std::filesystem::directory_iterator(folder.path())) CHECK(mode_of(entry) == mode);
      file.write("y");
      file.commit();
    }
    CHECK(mode_of(folder / "new") == mode);
  }
  ::umask(old);
}

TEST_CASE("a write-protected file is not replaced") {
  const TemporaryFolder folder;
  put(folder / "kept", "old");
  std::filesystem::permissions(folder / "kept", std::filesystem::perms{0444});
  CHECK_THAT(error_of<IoError>([&] { write_atomically(folder / "kept", "new"); }),
             Catch::Matchers::Contains("kept: is write-protected"));
  CHECK(contents_of(folder / "kept") == "old");
  CHECK(files_in(folder) == 1);
}

TEST_CASE("names may be as long as the file system lets them be") {
  const TemporaryFolder folder;
  for (const std::size_t length : {200u, 230u, 240u, 255u}) {
    const std::string name(length, 'n');
    write_atomically(folder / name, name);
    CHECK(contents_of(folder / name) == name);
  }
  const std::string error = error_of<IoError>([&] { write_atomically(folder / std::string(256, 'n'), "x"); });
  CHECK_THAT(error, Catch::Matchers::Contains("cannot be put in its place"));
  CHECK(files_in(folder) == 4);
}

TEST_CASE("parts that a killed process has left are removed, those of living ones are not") {
  const TemporaryFolder folder;
  const auto stale = folder / ".nucdet-0123456789abcdef.part", held = folder / ".nucdet-fedcba9876543210.part";
  const std::string others[] = {".nucdet-0123.part", "nucdet-0123456789abcdef.part", ".nucdet-0123456789abcdef.part.x",
                                "a.123.part", ".nucdet-0123456789ABCDEF.part"};
  put(stale, "x"), put(held, "x");
  for (const std::string& other : others) put(folder / other, "x");
  const int living = ::open(held.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(::flock(living, LOCK_EX) == 0);
  AtomicFile mine(folder / "a");
  CHECK_FALSE(std::filesystem::exists(stale));
  CHECK(std::filesystem::exists(held));
  for (const std::string& other : others) CHECK(std::filesystem::exists(folder / other));
  mine.write("a");
  mine.commit();
  CHECK(contents_of(folder / "a") == "a");
  ::close(living);
}

TEST_CASE("a part is locked as long as it is one") {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a");
  file.write("a");
  const auto part = std::filesystem::directory_iterator(folder.path())->path();
  const int other = ::open(part.c_str(), O_RDWR | O_CLOEXEC);
  CHECK(::flock(other, LOCK_EX | LOCK_NB) != 0);
  file.commit();
  CHECK(::flock(other, LOCK_EX | LOCK_NB) == 0);
  ::close(other);
}

TEST_CASE("a file that cannot be written is an IoError with its name") {
  const TemporaryFolder folder;
  const auto missing = folder / "no-such-folder" / "file";
  CHECK(error_of<IoError>([&] { write_atomically(missing, "x"); }).find(missing.string()) == 0);
  CHECK(error_of<IoError>([&] { write_atomically(folder.path(), "x"); }).find("is a folder") != std::string::npos);
  if (std::filesystem::exists("/dev/full")) CHECK_THROWS_AS(write_atomically("/dev/full", "x"), IoError);
  std::filesystem::create_directory(folder / "gone");
  AtomicFile file(folder / "gone" / "a");
  file.write("x");
  std::filesystem::remove_all(folder / "gone");
  CHECK_THAT(error_of<IoError>([&] { file.commit(); }),
             Catch::Matchers::Contains("gone/a: cannot be put in its place"));
}

TEST_CASE("files of one result appear together") {
  const TemporaryFolder folder;
  write_atomically(folder / "a", "old");
  {
    AtomicFiles together;
    write_atomically(folder / "a", "new a");
    write_atomically(folder / "b", "new b");
    CHECK(contents_of(folder / "a") == "old");
    CHECK_FALSE(std::filesystem::exists(folder / "b"));
    const auto hashes = together.records();
    CHECK(hashes.size() == 2);
    CHECK(hashes.at("a") != hashes.at("b"));
    std::thread([&] { write_atomically(folder / "c", "another thread's"); }).join();
    CHECK(contents_of(folder / "c") == "another thread's");
    together.commit();
    CHECK(contents_of(folder / "a") == "new a");
    CHECK(contents_of(folder / "b") == "new b");
    CHECK(hashes.at("b") == content_hash_of(folder / "b"));
    CHECK_THAT(hashes.at("a"), Catch::Matchers::StartsWith(content_hash_of(folder / "a") + " was "));
  }
  {
    AtomicFiles together;
    write_atomically(folder / "a", "newer a");
    CHECK_THROWS_AS(write_atomically(folder / "no-such-folder" / "b", "b"), IoError);
  }
  CHECK(contents_of(folder / "a") == "new a");
  CHECK(files_in(folder) == 3);
  write_atomically(folder / "a", "alone");
  CHECK(contents_of(folder / "a") == "alone");
}

TEST_CASE("one works in a folder, the next is told so") {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    const std::string error = error_of<IoError>([&] { const FolderLock second(folder.path()); });
    CHECK(error.find(folder.path().string()) == 0);
    CHECK_THAT(error, Catch::Matchers::Contains("another"));
  }
  CHECK(files_in(folder) == 0);
  const FolderLock again(folder.path());
  CHECK_FALSE(error_of<IoError>([&] { const FolderLock lost(folder / "missing"); }).empty());
}

TEST_CASE("a lock of a file is had by one, also after one that was killed has left it") {
  const TemporaryFolder folder;
  const auto path = folder / ".a.nucdet.lock";
  put(path, "");  // left behind
  {
    std::optional<FileLock> lock = FileLock::attempt(path);
    REQUIRE(lock);
    CHECK_FALSE(FileLock::attempt(path));
    CHECK(FileLock::attempt(folder / ".b.nucdet.lock"));
    const FileLock moved = std::move(*lock);
    lock.reset();
    CHECK_FALSE(FileLock::attempt(path));
  }
  CHECK(files_in(folder) == 0);
  CHECK(FileLock::attempt(path));
  CHECK_THROWS_AS(FileLock::attempt(folder / "missing" / "lock"), IoError);
}

TEST_CASE("threads that pass a lock around have it one at a time") {
  const TemporaryFolder folder;
  std::atomic<int> inside = 0, most = 0, got = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 2000; ++k)
        if (const auto lock = FileLock::attempt(folder / "lock")) {
          const int now = ++inside;
          if (now > most) most = now;
          ++got, --inside;
        }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 1);
  CHECK(got > 0);
}
