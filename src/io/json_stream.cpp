#include "json_stream.hpp"

#include <string>
#include <vector>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

namespace {

using nlohmann::json;

/// What nlohmann's parser calls for each token. Values are built as they come; one that ends in the list is handed on.
class ListReader {
 public:
  ListReader(std::string_view where, std::string_view list, std::string_view ignored,
             const std::function<void(const json&)>& consume)
      : where_(where), list_(list), ignored_(ignored), consume_(consume) {}

  json root() { return std::move(root_); }

  bool null() { return scalar(nullptr); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(json::number_integer_t value) { return scalar(value); }
  bool number_unsigned(json::number_unsigned_t value) { return scalar(value); }
  bool number_float(json::number_float_t value, const std::string&) { return scalar(value); }
  bool string(std::string& value) { return scalar(std::move(value)); }
  bool binary(json::binary_t&) { return scalar(nullptr); }
  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const json::exception& error) {
    if (error.id == kSyntaxError) throw IoError(message(where_, ": byte ", at, ": is not JSON"));
    throw IoError(message(where_, ": is not JSON"));  // a number beyond all doubles
  }

 private:
  static constexpr int kSyntaxError = 101;     // of nlohmann's exceptions
  static constexpr std::size_t kDeepest = 64;  // containers within each other

  bool scalar(json value) {
    if (unwanted()) return true;
    place(std::move(value));
    if (in_list()) consume_(element_);
    return true;
  }
  bool open(json container) {
    if (unwanted()) {
      ++skipped_;
      return true;
    }
    if (open_.size() == kDeepest) throw IoError(message(where_, ": is nested deeper than ", kDeepest, " levels"));
    const bool is_list =
        container.is_array() && (open_.empty() || (open_.size() == 1 && !list_level_ && key_ == list_));
    open_.push_back(place(std::move(container)));
    if (is_list) list_level_ = open_.size();
    return true;
  }
  bool close() {
    if (skipped_ > 0) {
      --skipped_;
      return true;
    }
    if (open_.size() == list_level_) list_level_ = 0;
    open_.pop_back();
    if (in_list()) consume_(element_);
    return true;
  }
  bool unwanted() const { return skipped_ > 0 || (!open_.empty() && open_.back()->is_object() && key_ == ignored_); }
  bool in_list() const { return list_level_ != 0 && open_.size() == list_level_; }
  json* place(json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (in_list()) return &(element_ = std::move(value));
    json& within = *open_.back();
    if (within.is_object()) return &(within[key_] = std::move(value));
    within.push_back(std::move(value));
    return &within.back();
  }

  std::string_view where_, list_, ignored_;
  const std::function<void(const json&)>& consume_;
  json root_, element_;
  std::vector<json*> open_;     // from the root inwards
  std::size_t list_level_ = 0;  // how many are open when the list is the innermost; 0: it is not open
  std::size_t skipped_ = 0;     // containers open within one that is not kept
  std::string key_;
};

}  // namespace

json parse_list(std::string_view text, std::string_view where, std::string_view list, std::string_view ignored,
                const std::function<void(const json&)>& consume) {
  ListReader reader(where, list, ignored, consume);
  json::sax_parse(text, &reader);
  return reader.root();
}

}  // namespace nucdet::io::detail
