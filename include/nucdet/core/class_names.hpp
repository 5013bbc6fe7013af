#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"

namespace nucdet {

/// A nucleus's class is a number, its place in a list of names. This one: the class is not known. Such a nucleus counts
/// for detection only.
inline constexpr int kUnknownClass = -1;
/// So many classes at most.
inline constexpr int kMostClasses = 16;

/// The names of classes. One list serves all data sets of a run and the model that is trained on them; names are turned
/// into numbers once, when data are read.
class ClassNames {
 public:
  ClassNames() = default;
  /// Throws ArgumentError for an empty or a repeated name, and for more than kMostClasses.
  explicit ClassNames(const std::vector<std::string>& names);

  int size() const { return static_cast<int>(names_.size()); }
  bool empty() const { return names_.empty(); }
  /// Throws ArgumentError for a number that is none of these.
  const std::string& operator[](int number) const;
  const std::vector<std::string>& all() const { return names_; }

  /// The class of this name; kUnknownClass for an empty name and one that is not in the list.
  int find(std::string_view name) const;
  /// The classes of many names, as many: see `find`. No numbers at all for no names.
  std::vector<int> find_all(const std::vector<std::string>& names) const;
  /// The class of this name, which becomes the last one if it is new. Throws ArgumentError as the constructor does.
  int add(const std::string& name);

  friend bool operator==(const ClassNames&, const ClassNames&) = default;

 private:
  std::vector<std::string> names_;
};

#ifdef NUCDET_INLINE

NUCDET_INLINE ClassNames::ClassNames(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (find(name) != kUnknownClass) throw ArgumentError(message("ClassNames: '", name, "' is there twice"));
    add(name);
  }
}

NUCDET_INLINE const std::string& ClassNames::operator[](int number) const {
  if (number < 0 || number >= size())
    throw ArgumentError(message("ClassNames: class ", number, ", wanted 0 to ", size() - 1));
  return names_[static_cast<std::size_t>(number)];
}

NUCDET_INLINE int ClassNames::find(std::string_view name) const {
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (names_[i] == name) return static_cast<int>(i);
  return kUnknownClass;
}

NUCDET_INLINE std::vector<int> ClassNames::find_all(const std::vector<std::string>& names) const {
  std::vector<int> numbers;
  numbers.reserve(names.size());
  for (const std::string& name : names) numbers.push_back(find(name));
  return numbers;
}

NUCDET_INLINE int ClassNames::add(const std::string& name) {
  if (name.empty()) throw ArgumentError("ClassNames: a class has no name");
  if (const int known = find(name); known != kUnknownClass) return known;
  if (size() == kMostClasses)
    throw ArgumentError(message("ClassNames: '", name, "' is one class too many, at most ", kMostClasses));
  names_.push_back(name);
  return size() - 1;
}

#endif

}  // namespace nucdet
