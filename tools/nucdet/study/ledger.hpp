#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nucdet/core/error.hpp"

#include "../shards.hpp"

/// The trainings that a study asks for, in the order in which it does.
namespace nucdet::program::studies {

struct Unit {
  std::string name{};    ///< "micronet-8 kidney"
  double flop = 0;       ///< about
  double seconds = 0;    ///< spent on it; 0 if it is not there yet
  std::string device{};  ///< that it was ended by; empty if it is not there yet, or not known
  bool done = false;     ///< trained, now or before
  bool mine = true;      ///< this call's to train
  bool assumed = false;  ///< stands for one that validation will choose
};

/// Thrown where a study cannot go on without results of trainings that are other shards'.
struct Undecided : Error {
  using Error::Error;
};

/// Deals units out to shards as they are asked for: each to the shard that has the least so far (R. L. Graham, Bounds
/// for certain multiprocessing anomalies, Bell System Technical Journal 45, 1966: at most twice the best sharing).
/// Whose a unit is depends on those before it alone, so that all shards agree, and again in a later call that knows
/// more results and so asks for more.
class Ledger {
 public:
  explicit Ledger(const Shard& shard) : shard_(shard), loads_(static_cast<std::size_t>(shard.count), 0) {}

  /// The unit that is kept under `key`; flop is asked for one that is new.
  Unit& unit(const std::string& key, const std::string& name, const std::function<double()>& flop);
  /// From here on new units stand for what is not known yet.
  void assume() { assuming_ = true; }

  const std::deque<Unit>& units() const { return units_; }
  /// How many of them are not there.
  std::size_t missing() const;
  std::size_t missing_of_mine() const;
  double seconds() const;
  /// What the trainings that are there were ended by, and how many by each.
  std::map<std::string, std::size_t> devices() const;

 private:
  Shard shard_;
  std::vector<double> loads_;
  std::deque<Unit> units_{};  // references to them stay
  std::map<std::string, Unit*> by_key_{};
  bool assuming_ = false;
};

/// FLOP a second that a thread does in trainings where nothing is known of the machine: MicroNet of base 8, 7000
/// iterations of four crops of 192 pixels in 50 minutes (docs/results.md).
inline constexpr double kFlopPerSecond = 63e9;

/// What is there, what is not and how long it will take, a line a unit and one for all. flop_per_second: 0 if it is not
/// known; that of the units that are there comes first.
std::string plan_text(const Ledger& ledger, double flop_per_second);

}  // namespace nucdet::program::studies
