#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "nucdet/core/shape.hpp"
#include "nucdet/core/watch.hpp"

namespace nucdet::program {

/// A line on stderr that is redrawn when stderr is a terminal, and else a plain line now and then.
class Progress {
 public:
  Progress(std::string what, std::int64_t total, std::int64_t done, bool quiet);
  ~Progress();
  /// `note` is shown at the end of the line. `part` is how much of the next one is done, from 0 to 1.
  void update(std::int64_t done, const std::string& note, double part = 0, std::optional<double> left = {});
  /// The same, however little time has passed since the last line. `left`: seconds, where the caller knows better than
  /// by what is done; infinite: it knows that nobody can tell yet.
  void draw(std::int64_t done, const std::string& note, double part = 0, std::optional<double> left = {});
  bool terminal() const { return terminal_; }

  static constexpr std::chrono::seconds kBetweenLines{30};  ///< where there is no terminal

 private:
  std::string what_;
  std::int64_t total_, start_;
  bool quiet_, terminal_, drawn_ = false;
  std::chrono::steady_clock::time_point begin_, last_;
};

/// What of a slide is done.
struct SlideState {
  double done = 0, all = 0;  ///< area where nuclei count
  const char* unit = "mm2";
  Index nuclei = 0;  ///< so far
};

/// A watch that is told of slides too: of what is done before tiles are counted.
struct ImageWatch : Watch {
  std::function<void(const SlideState&)> slide{};
  std::function<void()> poll{};  ///< before anything is counted: looks whether the work is to end
};

/// Progress over images that may take long each, by their tiles, and over slides by their area. Where stderr is no
/// terminal: a line every 30 s, also while a file is read and nothing is told, and one at the end. Any thread may tell.
class ImageProgress {
 public:
  /// `between`: see Progress::kBetweenLines.
  ImageProgress(std::int64_t images, bool quiet, std::chrono::milliseconds between = Progress::kBetweenLines);
  ImageProgress(const ImageProgress&) = delete;
  ImageProgress& operator=(const ImageProgress&) = delete;
  ~ImageProgress();

  void begin(const std::string& image);
  /// For Watch::progress.
  void tiles(Index done, Index all);
  /// For ImageWatch::slide: of the image in work. Its first call says what was done before. Shown with the tiles.
  void slide(const SlideState& state);
  void end();

 private:
  /// A slide in work: its rate is that since `begin`, when `before` was done.
  struct Slide {
    SlideState state;
    double before = 0;
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();

    double rate() const;                                               ///< area a second; 0 while it is not known
    double left() const { return (state.all - state.done) / rate(); }  ///< seconds; not finite while it is not known
  };
  std::string note() const;
  double part() const;
  std::optional<double> left() const;
  void remind(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any over_;
  Progress progress_;
  std::string image_;
  std::int64_t done_ = 0, images_;
  Index tiles_done_ = 0, tiles_ = 0;  ///< of the image in work
  std::optional<Slide> slide_{};
  std::chrono::milliseconds between_;
  std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
  std::jthread reminder_;  ///< last: it uses the others
};

/// "1 h 02 min", "3 min 20 s", "12 s"
std::string duration_text(double seconds);

}  // namespace nucdet::program
