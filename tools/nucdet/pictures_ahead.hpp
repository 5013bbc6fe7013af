#pragma once
#include <future>
#include <optional>
#include <vector>

#include "nucdet/io/picture.hpp"

#include "commands.hpp"
#include "inputs.hpp"

namespace nucdet::program {

/// Reads pictures in order, one ahead of the one that is worked on unless that is large: no more than two are in
/// memory.
class PicturesAhead {
 public:
  /// Reads the first picture at once, while the caller makes ready to look at it, unless it may have to be passed over.
  PicturesAhead(const DetectOptions& o, const std::vector<Input>& inputs) : inputs_(inputs) {
    options_.page = o.page;
    if (!o.skip_existing && !inputs.empty() && !inputs[0].slide) begin(0);
  }

  /// Throws what reading it threw.
  io::Picture read(std::size_t number, std::optional<std::size_t> next) {
    std::future<io::Picture> mine = std::move(ahead_);
    ahead_ = {};
    io::Picture picture = mine.valid() && number == number_ahead_ ? mine.get() : read_now(number);
    if (next && picture.width * picture.height <= kSmall) begin(*next);
    return picture;
  }

 private:
  static constexpr Index kSmall = Index{1} << 26;
  void begin(std::size_t number) {
    number_ahead_ = number;
    ahead_ = std::async(std::launch::async, [this, number] { return read_now(number); });
  }
  io::Picture read_now(std::size_t number) const { return io::read_picture(inputs_[number].entry.image, options_); }

  const std::vector<Input>& inputs_;
  io::PictureOptions options_{};
  std::size_t number_ahead_ = 0;
  std::future<io::Picture> ahead_{};
};

}  // namespace nucdet::program
