#pragma once
#include <cstdint>
#include <filesystem>
#include <future>
#include <optional>
#include <system_error>
#include <vector>

#include "nucdet/io/picture.hpp"

#include "commands.hpp"
#include "inputs.hpp"

namespace nucdet::program {

/// In a thread of its own, if the system has one left.
inline constexpr std::launch kAside = std::launch::async | std::launch::deferred;

/// Reads pictures in order, one ahead of the one that is worked on unless that is large: no more than two are in
/// memory.
class PicturesAhead {
 public:
  /// Reads the first picture at once, while the caller makes ready to look at it: one of a small file, which costs
  /// little if the caller cannot; not where it may be passed over, or where what is held now decides on tiles.
  PicturesAhead(const DetectOptions& o, const std::vector<Input>& inputs) : inputs_(inputs) {
    options_.page = o.page;
    std::error_code unreadable;
    if (o.skip_existing || o.memory != 0 || inputs.empty() || inputs[0].slide) return;
    const std::uintmax_t bytes = std::filesystem::file_size(inputs[0].entry.image, unreadable);
    if (!unreadable && bytes <= kSmallFile) begin(0);
  }

  /// Throws what reading it threw.
  io::Picture read(std::size_t number, std::optional<std::size_t> next) {
    std::future<io::Picture> mine = std::move(ahead_);
    ahead_ = {};
    const bool read = mine.valid() && number == number_ahead_;
    if (!read) mine = {};
    io::Picture picture = read ? mine.get() : read_now(number);
    if (next && picture.width * picture.height <= kSmall) begin(*next);
    return picture;
  }

 private:
  static constexpr Index kSmall = Index{1} << 26;
  static constexpr std::uintmax_t kSmallFile = std::uintmax_t{1} << 24;
  void begin(std::size_t number) {
    number_ahead_ = number;
    ahead_ = std::async(kAside, [this, number] { return read_now(number); });
  }
  io::Picture read_now(std::size_t number) const { return io::read_picture(inputs_[number].entry.image, options_); }

  const std::vector<Input>& inputs_;
  io::PictureOptions options_{};
  std::size_t number_ahead_ = 0;
  std::future<io::Picture> ahead_{};
};

}  // namespace nucdet::program
