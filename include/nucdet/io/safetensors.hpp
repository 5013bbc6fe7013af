#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/error.hpp"
#include "nucdet/core/half.hpp"
#include "nucdet/core/shape.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/detail/input_file.hpp"
#include "nucdet/io/detail/safetensors_header.hpp"

/// Safetensors (https://github.com/huggingface/safetensors): an 8-byte length, a JSON header, then the bare data,
/// little endian. Header-only and without a JSON library, so that a user of the headers alone can save and load. A file
/// is checked against every rule of the format before anything of it is used.
namespace nucdet::io {

static_assert(std::endian::native == std::endian::little, "nucdet: safetensors needs a little-endian machine");

/// One named array. `dtype` is the format's name ("F32", "F64", "F16", "BF16", "I64", "U8", ...), `data` its bytes.
struct SafeTensor {
  std::string name{}, dtype{};
  std::vector<Index> shape{};
  std::vector<std::byte> data{};
};

struct SafeTensorFile {
  std::map<std::string, std::string> metadata{};
  std::vector<SafeTensor> tensors{};  ///< sorted by name where read from a file

  /// Null if there is none of that name.
  const SafeTensor* find(std::string_view name) const {
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [&](const SafeTensor& t) { return t.name == name; });
    return found == tensors.end() ? nullptr : &*found;
  }
};

/// A tensor of these values: float (F32), double (F64), 64-bit integers (I64, U64) or bytes (U8).
/// Throws ArgumentError if `shape` does not fit the number of values.
template <class T>
SafeTensor make_safe_tensor(std::string name, std::vector<Index> shape, std::span<const T> values) {
  SafeTensor tensor{std::move(name), {}, std::move(shape), {}};
  if constexpr (std::is_same_v<T, float>) tensor.dtype = "F32";
  if constexpr (std::is_same_v<T, double>) tensor.dtype = "F64";
  if constexpr (std::is_same_v<T, std::int64_t>) tensor.dtype = "I64";
  if constexpr (std::is_same_v<T, std::uint64_t>) tensor.dtype = "U64";
  if constexpr (std::is_same_v<T, std::uint8_t>) tensor.dtype = "U8";
  std::uint64_t bytes = 0;
  if (!detail::safetensors_bytes(tensor.dtype, tensor.shape, bytes) || bytes != values.size_bytes())
    throw ArgumentError(
        message("make_safe_tensor: '", tensor.name, "' has ", values.size_bytes(), " bytes, its shape wants ", bytes));
  const auto raw = std::as_bytes(values);
  tensor.data.assign(raw.begin(), raw.end());
  return tensor;
}

/// The values of an F32, F64, F16 or BF16 tensor, rows first. Throws IoError for another type.
std::vector<float> to_floats(const SafeTensor& tensor);
std::vector<double> to_doubles(const SafeTensor& tensor);

/// A file whose header was read and checked, and whose data were not: what a file claims to hold can be refused before
/// any of it is in memory.
class SafeTensorReader {
 public:
  /// Throws IoError if the file is missing, shorter or longer than its header says, or breaks a rule of the format.
  explicit SafeTensorReader(const std::filesystem::path& path);

  /// Metadata and tensors, these without data, sorted by name.
  const SafeTensorFile& header() const { return header_; }
  const std::string& where() const { return where_; }

  /// Metadata and those tensors that are wanted, with their data. Throws IoError.
  SafeTensorFile read(const std::function<bool(const SafeTensor&)>& wanted);

 private:
  std::string where_;
  detail::InputFile input_;
  SafeTensorFile header_{};
  std::vector<std::uint64_t> begins_{};  // of the data of header_.tensors, in the file
};

/// The whole file. Throws as SafeTensorReader.
SafeTensorFile read_safetensors(const std::filesystem::path& path);

/// The same from memory; `where` names the source in errors.
SafeTensorFile parse_safetensors(std::span<const std::byte> bytes, std::string_view where);

/// Writes the file whole or not at all. Equal content gives equal bytes, whatever the order of `file.tensors`.
/// Throws ArgumentError for content that the format cannot hold, IoError if writing fails.
void write_safetensors(const std::filesystem::path& path, const SafeTensorFile& file);

#ifdef NUCDET_BODIES

namespace detail {

/// Number i of values of the format's type Stored, by way of Number, wherever they lie in memory.
template <class Stored, class Number = Stored>
struct StoredNumbers {
  const std::byte* data;
  std::size_t count;

  Number operator[](std::size_t i) const {
    Stored stored;
    std::memcpy(&stored, data + i * sizeof(Stored), sizeof(Stored));
    return static_cast<Number>(stored);
  }
};

/// body(numbers) of a tensor of any real type. Throws IoError for another type.
template <class Body>
decltype(auto) with_numbers(const SafeTensor& tensor, Body&& body) {
  const std::byte* const data = tensor.data.data();
  const std::size_t bytes = tensor.data.size();
  if (tensor.dtype == "F32") return body(StoredNumbers<float>{data, bytes / sizeof(float)});
  if (tensor.dtype == "F64") return body(StoredNumbers<double>{data, bytes / sizeof(double)});
  if (tensor.dtype == "F16") return body(StoredNumbers<f16, float>{data, bytes / sizeof(f16)});
  if (tensor.dtype == "BF16") return body(StoredNumbers<bf16, float>{data, bytes / sizeof(bf16)});
  throw IoError(message("tensor '", tensor.name, "' is ", tensor.dtype, ", wanted F32, F64, F16 or BF16"));
}

template <class T>
std::vector<T> to_reals(const SafeTensor& tensor) {
  return with_numbers(tensor, [](const auto& numbers) {
    std::vector<T> values(numbers.count);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(numbers[i]);
    return values;
  });
}

constexpr std::uint64_t kSafeTensorsHeaderLimit = 100'000'000;  // the limit of the reference implementation

inline std::uint64_t header_bytes(const char (&prefix)[8], std::uint64_t file_bytes, std::string_view where) {
  std::uint64_t length = 0;
  std::memcpy(&length, prefix, 8);
  if (length > kSafeTensorsHeaderLimit || length > file_bytes - 8)
    throw IoError(message(where, ": header of ", length, " bytes, the file has ", file_bytes - 8, " after its length"));
  return length;
}

/// The header of a file of that size, of which read(to, bytes) gives the beginning.
template <class Read>
SafeTensorsHeader read_safetensors_header(Read&& read, std::uint64_t file_bytes, std::string_view where) {
  if (file_bytes < 8) throw IoError(message(where, ": ", file_bytes, " bytes, a safetensors file has at least 8"));
  char prefix[8];
  read(prefix, sizeof prefix);
  const std::uint64_t length = header_bytes(prefix, file_bytes, where);
  std::string text(static_cast<std::size_t>(length), '\0');
  read(text.data(), text.size());
  SafeTensorsHeader header = SafeTensorsHeaderParser(text, file_bytes - 8 - length, where).parse();
  for (SafeTensorEntry& entry : header.entries) entry.begin += 8 + length, entry.end += 8 + length;
  std::sort(header.entries.begin(), header.entries.end(),
            [](const SafeTensorEntry& a, const SafeTensorEntry& b) { return a.name < b.name; });
  return header;
}

inline void check_to_write(const std::vector<const SafeTensor*>& tensors) {
  std::vector<std::string_view> names;
  for (const SafeTensor* tensor : tensors) {
    std::uint64_t bytes = 0;
    if (!safetensors_bytes(tensor->dtype, tensor->shape, bytes) || bytes != tensor->data.size())
      throw ArgumentError(message("write_safetensors: '", tensor->name, "' (", tensor->dtype, ") has ",
                                  tensor->data.size(), " bytes, its type and shape want ", bytes));
    if (tensor->name == "__metadata__" || !is_utf8(tensor->name))
      throw ArgumentError(message("write_safetensors: '", tensor->name, "' cannot be the name of a tensor"));
    names.push_back(tensor->name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw ArgumentError(message("write_safetensors: '", *twice, "' is there twice"));
}

inline std::string safetensors_header_text(const std::map<std::string, std::string>& metadata,
                                           const std::vector<const SafeTensor*>& tensors) {
  std::string text = "{", separator;
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (!is_utf8(key) || !is_utf8(value))
        throw ArgumentError(message("write_safetensors: metadata '", key, "' is not UTF-8"));
      text += separator + json_quoted(key) + ':' + json_quoted(value);
      separator = ",";
    }
    text += '}';
  }
  std::uint64_t at = 0;
  for (const SafeTensor* tensor : tensors) {
    text += separator + json_quoted(tensor->name) + R"(:{"dtype":)" + json_quoted(tensor->dtype) + R"(,"shape":[)";
    for (std::size_t i = 0; i < tensor->shape.size(); ++i)
      text += (i == 0 ? "" : ",") + std::to_string(tensor->shape[i]);
    text += R"(],"data_offsets":[)" + std::to_string(at) + ',' + std::to_string(at + tensor->data.size()) + "]}";
    at += tensor->data.size();
    separator = ",";
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace detail

#endif
#ifdef NUCDET_INLINE

NUCDET_INLINE std::vector<float> to_floats(const SafeTensor& tensor) { return detail::to_reals<float>(tensor); }

NUCDET_INLINE std::vector<double> to_doubles(const SafeTensor& tensor) { return detail::to_reals<double>(tensor); }

NUCDET_INLINE SafeTensorReader::SafeTensorReader(const std::filesystem::path& path)
    : where_(path.string()), input_(path) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) throw IoError(message(where_, ": ", error.message()));
  detail::SafeTensorsHeader header =
      detail::read_safetensors_header([&](void* to, std::size_t count) { input_.read(to, count); }, bytes, where_);
  header_.metadata = std::move(header.metadata);
  for (detail::SafeTensorEntry& entry : header.entries) {
    begins_.push_back(entry.begin);
    header_.tensors.push_back({std::move(entry.name), std::move(entry.dtype), std::move(entry.shape), {}});
  }
}

NUCDET_INLINE SafeTensorFile SafeTensorReader::read(const std::function<bool(const SafeTensor&)>& wanted) {
  SafeTensorFile file{header_.metadata, {}};
  for (std::size_t i = 0; i < header_.tensors.size(); ++i) {
    if (!wanted(header_.tensors[i])) continue;
    SafeTensor& tensor = file.tensors.emplace_back(header_.tensors[i]);
    std::uint64_t bytes = 0;
    detail::safetensors_bytes(tensor.dtype, tensor.shape, bytes);
    tensor.data.resize(static_cast<std::size_t>(bytes));
    input_.seek(begins_[i]);
    input_.read(tensor.data.data(), tensor.data.size());
  }
  return file;
}

NUCDET_INLINE SafeTensorFile read_safetensors(const std::filesystem::path& path) {
  return SafeTensorReader(path).read([](const SafeTensor&) { return true; });
}

NUCDET_INLINE SafeTensorFile parse_safetensors(std::span<const std::byte> bytes, std::string_view where) {
  std::size_t at = 0;
  const auto read = [&](void* to, std::size_t count) {
    if (count != 0) std::memcpy(to, bytes.data() + at, count);
    at += count;
  };
  detail::SafeTensorsHeader header = detail::read_safetensors_header(read, bytes.size(), where);
  SafeTensorFile file{std::move(header.metadata), {}};
  for (detail::SafeTensorEntry& entry : header.entries) {
    const auto data =
        bytes.subspan(static_cast<std::size_t>(entry.begin), static_cast<std::size_t>(entry.end - entry.begin));
    file.tensors.push_back(
        {std::move(entry.name), std::move(entry.dtype), std::move(entry.shape), {data.begin(), data.end()}});
  }
  return file;
}

NUCDET_INLINE void write_safetensors(const std::filesystem::path& path, const SafeTensorFile& file) {
  std::vector<const SafeTensor*> tensors;
  for (const SafeTensor& tensor : file.tensors) tensors.push_back(&tensor);
  detail::check_to_write(tensors);
  // Wide elements first keeps every array aligned to its element, which PyTorch's reader needs.
  std::sort(tensors.begin(), tensors.end(), [](const SafeTensor* a, const SafeTensor* b) {
    const auto bytes_a = detail::safetensors_element_bytes(a->dtype),
               bytes_b = detail::safetensors_element_bytes(b->dtype);
    return bytes_a != bytes_b ? bytes_a > bytes_b : a->name < b->name;
  });
  const std::string header = detail::safetensors_header_text(file.metadata, tensors);
  if (header.size() > detail::kSafeTensorsHeaderLimit)
    throw ArgumentError(message("write_safetensors: header of ", header.size(), " bytes"));
  const std::uint64_t length = header.size();
  AtomicFile out(path);
  out.write(&length, sizeof length);
  out.write(header);
  for (const SafeTensor* tensor : tensors) out.write(tensor->data.data(), tensor->data.size());
  out.commit();
}

#endif

}  // namespace nucdet::io
