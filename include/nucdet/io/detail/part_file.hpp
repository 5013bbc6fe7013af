#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "nucdet/core/config.hpp"
#include "nucdet/core/content_hash.hpp"
#include "nucdet/core/error.hpp"

#ifdef NUCDET_INLINE
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

/// What AtomicFile does with the system: a file on its way to its name.
namespace nucdet::io::detail {

/// A file that is written beside its target as `.nucdet-<16 digits>.part`, whatever the length of the target's name. It
/// is locked (flock) for as long as it is written, which tells it from what a process that died has left: that is
/// removed when a process first writes in a folder. Throws IoError, naming the target.
class PartFile {
 public:
  explicit PartFile(const std::filesystem::path& target);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile() { discard(); }

  void write(const void* data, std::size_t bytes);
  /// All of it is on the disk, under the part's name.
  void finish();
  /// The target is the file from now on. After finish().
  void place();
  /// That it is stays so whatever happens to the power: the folder is on the disk, too. After place().
  void keep_place() const;

  const std::filesystem::path& target() const { return target_; }
  /// Where the bytes are; the target itself for what is no plain file.
  const std::filesystem::path& path() const { return part_; }
  bool direct() const { return direct_; }

 private:
  void open_direct();
  void open_part();
  bool try_open(unsigned mode);
  void take_over_owner();
  void flush();
  void write_through(const char* data, std::size_t bytes);
  [[noreturn]] void fail(const char* what, int error);
  void discard() noexcept;

  std::filesystem::path target_, part_;
  std::string buffer_{};
  int file_ = -1, lock_ = -1;  // the same open file: the lock outlives the first, whose closing may fail
  bool direct_ = false;
};

/// `.nucdet-<16 hexadecimal digits>.part`: what is cleared away if nobody holds it.
std::string new_part_name();

/// Where links lead, also where nothing is yet. Throws IoError for links in a circle, and for one that leads to a
/// folder that is not there.
std::filesystem::path link_target(const std::filesystem::path& path);

/// Throws IoError for what must not be replaced: a folder, a file that is write-protected.
void check_replaceable(const std::filesystem::path& path);

#ifdef NUCDET_INLINE

/// These name open files, not places: another file in their stead would be nobody's.
inline bool names_descriptor(const std::filesystem::path& path) {
  const std::string name = path.lexically_normal().string();
  return name == "/dev/stdout" || name == "/dev/stderr" || name.starts_with("/dev/fd/") ||
         name.starts_with("/proc/self/fd/");
}

inline std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

inline std::string error_text(int error) { return std::generic_category().message(error); }

/// Some file systems cannot do what others need: that is no fault.
inline bool unsupported(int error) { return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP; }

inline bool is_part_name(std::string_view name) {
  constexpr std::string_view kBegin = ".nucdet-", kEnd = ".part";
  if (name.size() != kBegin.size() + 16 + kEnd.size() || !name.starts_with(kBegin) || !name.ends_with(kEnd))
    return false;
  return name.substr(kBegin.size(), 16).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

NUCDET_INLINE std::string new_part_name() {
  static std::atomic<std::uint64_t> count{0};
  const auto ticks = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  const std::uint64_t unique = ++count + (static_cast<std::uint64_t>(::getpid()) << 24);
  return ".nucdet-" + hexadecimal(mixed(ticks + 0x9E3779B97F4A7C15ULL * unique)) + ".part";
}

/// Removes a part that nobody holds. Its writer has it locked, or finds it gone and takes another.
inline void remove_if_stale(const std::filesystem::path& part) {
  const int file = ::open(part.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return;
  struct stat found {};
  if (::fstat(file, &found) == 0 && S_ISREG(found.st_mode) && ::flock(file, LOCK_EX | LOCK_NB) == 0)
    ::unlink(part.c_str());
  ::close(file);
}

/// Once a folder and process.
inline void remove_stale_parts(const std::filesystem::path& folder) {
  static std::mutex mutex;
  static std::set<std::filesystem::path> seen;
  std::error_code none;
  const std::filesystem::path place = std::filesystem::weakly_canonical(folder, none);
  {
    const std::lock_guard lock(mutex);
    if (!seen.insert(place).second) return;
  }
  std::error_code error;
  for (std::filesystem::directory_iterator i(place, error), end; !error && i != end; i.increment(error))
    if (is_part_name(i->path().filename().string())) remove_if_stale(i->path());
}

NUCDET_INLINE std::filesystem::path link_target(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code none;
  fs::path at = path;
  for (int links = 0; fs::is_symlink(fs::symlink_status(at, none)); ++links) {
    if (links == 40) throw IoError(path.string() + ": is a link that leads in a circle");
    const fs::path next = fs::read_symlink(at, none);
    at = next.is_absolute() ? next : at.parent_path() / next;
  }
  if (at != path && !fs::is_directory(folder_of(at), none))
    throw IoError(message(path.string(), ": is a link to ", at.string(), ", whose folder is not there"));
  return at;
}

NUCDET_INLINE void check_replaceable(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return;
  if (S_ISDIR(found.st_mode)) throw IoError(path.string() + ": is a folder, a file was wanted");
  if (S_ISREG(found.st_mode) && ((found.st_mode & 0222) == 0 || ::access(path.c_str(), W_OK) != 0))
    throw IoError(path.string() + ": is write-protected: make it writable, or choose another name");
}

NUCDET_INLINE PartFile::PartFile(const std::filesystem::path& target) : target_(target), part_(target) {
  check_replaceable(target);
  std::error_code none;
  const std::filesystem::file_status status = std::filesystem::status(target, none);
  direct_ = names_descriptor(target) || (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status));
  if (direct_) {
    open_direct();
  } else {
    target_ = link_target(target);
    remove_stale_parts(folder_of(target_));
    open_part();
  }
}

NUCDET_INLINE PartFile::PartFile(PartFile&& other) noexcept
    : target_(std::move(other.target_)),
      part_(std::move(other.part_)),
      buffer_(std::move(other.buffer_)),
      file_(std::exchange(other.file_, -1)),
      lock_(std::exchange(other.lock_, -1)),
      direct_(other.direct_) {}

NUCDET_INLINE void PartFile::open_direct() {
  file_ = ::open(target_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file_ < 0) fail("cannot be opened", errno);
}

NUCDET_INLINE void PartFile::open_part() {
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  for (int attempt = 0; attempt < 100; ++attempt)
    if (try_open(replaces ? 0600 : 0666)) {  // what replaces a private file is never open to others
      if (replaces) take_over_owner();
      return;
    }
  fail("cannot be created", EEXIST);
}

/// False if another name has to be tried: this one is taken, or was cleared away before it was locked.
NUCDET_INLINE bool PartFile::try_open(unsigned mode) {
  part_ = folder_of(target_) / new_part_name();
  file_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file_ < 0 && errno == EEXIST) return false;
  if (file_ < 0) fail("cannot be created", errno);
  lock_ = ::fcntl(file_, F_DUPFD_CLOEXEC, 0);
  if (lock_ < 0) fail("cannot be created", errno);
  const bool taken = ::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  struct stat own {};
  if (!taken && ::fstat(lock_, &own) == 0 && own.st_nlink > 0) return true;
  discard();
  return false;
}

/// Mode, owner and group of the file that is replaced, as far as the system lets.
NUCDET_INLINE void PartFile::take_over_owner() {
  struct stat old {
  }, own{};
  if (::stat(target_.c_str(), &old) != 0 || ::fstat(file_, &own) != 0) return;
  mode_t mode = old.st_mode & 07777;
  if (own.st_gid != old.st_gid && ::fchown(file_, static_cast<uid_t>(-1), old.st_gid) != 0)
    mode = (mode & 0707) | ((mode & 07) << 3);  // another group may no more than all others
  if (own.st_uid != old.st_uid && ::fchown(file_, old.st_uid, static_cast<gid_t>(-1)) != 0) mode &= 0777;
  static_cast<void>(::fchmod(file_, mode));
}

NUCDET_INLINE void PartFile::write(const void* data, std::size_t bytes) {
  constexpr std::size_t kBuffer = std::size_t{1} << 16;
  if (buffer_.size() + bytes > kBuffer) flush();
  if (bytes > kBuffer) return write_through(static_cast<const char*>(data), bytes);
  buffer_.append(static_cast<const char*>(data), bytes);
}

NUCDET_INLINE void PartFile::flush() {
  write_through(buffer_.data(), buffer_.size());
  buffer_.clear();
}

NUCDET_INLINE void PartFile::write_through(const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t done = ::write(file_, data, bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail("cannot be written", done == 0 ? ENOSPC : errno);
    data += done, bytes -= static_cast<std::size_t>(done);
  }
}

NUCDET_INLINE void PartFile::finish() {
  if (file_ < 0) return;
  flush();
  if (!direct_ && ::fsync(file_) != 0 && !unsupported(errno)) fail("cannot be written", errno);
  if (::close(std::exchange(file_, -1)) != 0) fail("cannot be written", errno);
}

NUCDET_INLINE void PartFile::place() {
  if (direct_) return;
  if (::rename(part_.c_str(), target_.c_str()) != 0) fail("cannot be put in its place", errno);
  ::close(std::exchange(lock_, -1));
}

NUCDET_INLINE void PartFile::keep_place() const {
  if (direct_) return;
  const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;  // one may write in a folder that one may not read
  const int error = ::fsync(folder) != 0 ? errno : 0;
  ::close(folder);
  if (error != 0 && !unsupported(error))
    throw IoError(message(target_.string(), ": is written, but may be lost with the power: ", error_text(error)));
}

NUCDET_INLINE void PartFile::fail(const char* what, int error) {
  discard();
  throw IoError(message(target_.string(), ": ", what, ": ", error_text(error)));
}

NUCDET_INLINE void PartFile::discard() noexcept {
  if (!direct_ && (file_ >= 0 || lock_ >= 0)) ::unlink(part_.c_str());
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  if (lock_ >= 0) ::close(std::exchange(lock_, -1));
}

#endif

}  // namespace nucdet::io::detail
