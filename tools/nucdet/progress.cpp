#include "progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <unistd.h>

#include "nucdet/core/error.hpp"
#include "nucdet/core/printable.hpp"

namespace nucdet::program {

std::string duration_text(double seconds) {
  const auto s = static_cast<long long>(std::max(0.0, seconds));
  if (s >= 3600) return message(s / 3600, " h ", s / 60 % 60, " min");
  if (s >= 60) return message(s / 60, " min ", s % 60, " s");
  return message(s, " s");
}

Progress::Progress(std::string what, std::int64_t total, std::int64_t done, bool quiet)
    : what_(std::move(what)),
      total_(total),
      start_(done),
      quiet_(quiet),
      terminal_(isatty(2) == 1),
      begin_(std::chrono::steady_clock::now()),
      last_(begin_ - std::chrono::hours(1)) {}

Progress::~Progress() {
  if (terminal_ && drawn_) std::fputc('\n', stderr);
}

void Progress::update(std::int64_t done, const std::string& note, double part, std::optional<double> left) {
  const std::chrono::duration<double> since_last = std::chrono::steady_clock::now() - last_;
  const std::chrono::duration<double> between = terminal_ ? std::chrono::duration<double>(0.2) : kBetweenLines;
  if (done < total_ && since_last < between) return;
  draw(done, note, part, left);
}

void Progress::draw(std::int64_t done, const std::string& note, double part, std::optional<double> left) {
  if (quiet_) return;
  last_ = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(last_ - begin_).count();
  const double so_far = static_cast<double>(done - start_) + part;
  if (!left && so_far > 0) left = (static_cast<double>(total_ - done) - part) * seconds / so_far;
  const std::string line = message(what_, ' ', done, '/', total_, "  ", printable(note), "  left ",
                                   left && std::isfinite(*left) ? duration_text(*left) : "?");
  if (terminal_)
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  else
    std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

ImageProgress::ImageProgress(std::int64_t images, bool quiet, std::chrono::milliseconds between)
    : progress_("image", images, 0, quiet), images_(images), between_(between) {
  if (!quiet && !progress_.terminal()) reminder_ = std::jthread([this](const std::stop_token& stop) { remind(stop); });
}

ImageProgress::~ImageProgress() { reminder_ = {}; }

void ImageProgress::begin(const std::string& image) {
  const std::lock_guard lock(mutex_);
  image_ = image, tiles_done_ = tiles_ = 0, slide_.reset();
}

void ImageProgress::tiles(Index done, Index all) {
  const std::lock_guard lock(mutex_);
  tiles_done_ = done, tiles_ = all;
  if (progress_.terminal()) progress_.update(done_, note(), part(), left());
}

void ImageProgress::slide(const SlideState& state) {
  const std::lock_guard lock(mutex_);
  if (!slide_) slide_ = Slide{.state = state, .before = state.done};
  slide_->state = state;
}

void ImageProgress::end() {
  const std::lock_guard lock(mutex_);
  ++done_, tiles_done_ = tiles_ = 0, slide_.reset();
  if (progress_.terminal() || done_ == images_) progress_.update(done_, note());
}

double ImageProgress::Slide::rate() const {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return seconds > 0 ? (state.done - before) / seconds : 0;
}

std::string ImageProgress::note() const {
  std::string text = tiles_ > 1 || slide_ ? message(image_, ", tile ", tiles_done_, '/', tiles_) : image_;
  if (!slide_) return text;
  const SlideState& s = slide_->state;
  char area[96];
  std::snprintf(area, sizeof area, ", %.2f of %.2f %s", s.done, s.all, s.unit);
  text += area;
  if (slide_->rate() > 0) {
    std::snprintf(area, sizeof area, ", %.3f %s/s", slide_->rate(), s.unit);
    text += area;
  }
  text += message(", ", s.nuclei, " nuclei");
  if (images_ > 1 && slide_->rate() > 0) text += message(", left of it ", duration_text(slide_->left()));
  return text;
}

double ImageProgress::part() const {
  return static_cast<double>(tiles_done_) / static_cast<double>(std::max<Index>(1, tiles_));
}

/// Of a slide alone: what an earlier run did of it says nothing about speed.
std::optional<double> ImageProgress::left() const {
  if (images_ > 1 || !slide_) return std::nullopt;
  return slide_->left();
}

void ImageProgress::remind(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    over_.wait_until(lock, stop, said_ + between_, [] { return false; });
    if (stop.stop_requested()) return;
    said_ = std::chrono::steady_clock::now();
    if (done_ < images_) progress_.draw(done_, note(), part(), left());
  }
}

}  // namespace nucdet::program
