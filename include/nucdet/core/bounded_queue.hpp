#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

namespace nucdet {

/// What one stage hands on to the next, so much at a time: who gives waits while it is full, who takes while it is
/// empty. An error of the giver reaches the taker. Thread-safe.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t most) : most_(most) {}

  /// False if nobody will take any more: the work is to end.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return items_.size() < most_ || closed_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    more_.notify_one();
    return true;
  }

  /// Nothing if all has been taken. Throws what the giver failed with, after what it gave before.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return !items_.empty() || finished_; });
    if (items_.empty()) {
      if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
      return std::nullopt;
    }
    T item = std::move(items_.front());
    items_.pop_front();
    room_.notify_one();
    return item;
  }

  /// The giver has given all, or failed.
  void finish(std::exception_ptr error = nullptr) {
    const std::lock_guard lock(mutex_);
    finished_ = true, error_ = std::move(error);
    more_.notify_all();
  }
  /// The taker takes no more.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
  }

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable room_, more_;
  std::deque<T> items_;
  std::exception_ptr error_;
  bool finished_ = false, closed_ = false;
};

}  // namespace nucdet
