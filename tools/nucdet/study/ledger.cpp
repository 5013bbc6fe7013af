#include "ledger.hpp"

#include <algorithm>

#include "report.hpp"

namespace nucdet::program::studies {

Unit& Ledger::unit(const std::string& key, const std::string& name, const std::function<double()>& flop) {
  if (const auto known = by_key_.find(key); known != by_key_.end()) return *known->second;
  const auto least = std::min_element(loads_.begin(), loads_.end());  // the lowest number among equals
  Unit& unit = units_.emplace_back();
  unit.name = name, unit.flop = flop(), unit.assumed = assuming_;
  unit.mine = least - loads_.begin() + 1 == shard_.number;
  *least += unit.flop;
  return *(by_key_[key] = &unit);
}

std::size_t Ledger::missing() const {
  return static_cast<std::size_t>(std::count_if(units_.begin(), units_.end(), [](const Unit& u) { return !u.done; }));
}
std::size_t Ledger::missing_of_mine() const {
  return static_cast<std::size_t>(
      std::count_if(units_.begin(), units_.end(), [](const Unit& u) { return !u.done && u.mine; }));
}
double Ledger::seconds() const {
  double sum = 0;
  for (const Unit& u : units_) sum += u.seconds;
  return sum;
}

std::map<std::string, std::size_t> Ledger::devices() const {
  std::map<std::string, std::size_t> counts;
  for (const Unit& u : units_)
    if (u.done) ++counts[u.device.empty() ? "not known" : u.device];
  return counts;
}

std::string plan_text(const Ledger& ledger, double flop_per_second) {
  double flop = 0, seconds = 0, left = 0;
  for (const Unit& u : ledger.units()) {
    if (u.done && u.seconds > 0) flop += u.flop, seconds += u.seconds;
    if (!u.done) left += u.flop;
  }
  const double rate = seconds > 0 ? flop / seconds : flop_per_second;
  const auto hours = [&](double f) {
    return rate > 0 ? shown(f / rate / 3600, 2) + " h" : shown(f * 1e-15, 2) + " PFLOP";
  };
  std::string text;
  for (const Unit& u : ledger.units()) {
    text += message(u.done      ? "done   "
                    : u.assumed ? "later  "
                                : "to do  ",
                    u.name, ", ", u.done ? shown(u.seconds / 3600, 2) + " h" : hours(u.flop),
                    u.mine ? "" : ", of another shard", '\n');
  }
  text += message(ledger.units().size(), " trainings, ", ledger.units().size() - ledger.missing(), " done in ",
                  shown(ledger.seconds() / 3600, 2), " h, ", ledger.missing(), " to do: about ", hours(left));
  if (rate > 0)
    text += message(" at ", shown(rate * 1e-9, 0), " GFLOP a second, ",
                    seconds > 0 ? "as those that are done took" : "of which tests and validations are no part");
  if (std::any_of(ledger.units().begin(), ledger.units().end(), [](const Unit& u) { return u.assumed && !u.done; }))
    text += "; later: as many as these, by what validation will choose";
  return text + '\n';
}

}  // namespace nucdet::program::studies
