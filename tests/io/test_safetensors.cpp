#include <cmath>
#include <cstring>

#include "nucdet/io/safetensors.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

namespace {

std::string with_header(std::string_view header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + std::string(header) + std::string(data_bytes, '\1');
}
SafeTensorFile parse(std::string_view bytes) { return parse_safetensors(std::as_bytes(std::span(bytes)), "f"); }
std::string error(std::string_view header, std::size_t data_bytes) {
  return error_of<IoError>([&] { parse(with_header(header, data_bytes)); });
}

SafeTensorFile sample() {
  const std::vector<float> weights = {1.5f, -2.25f, 1e-40f, 3.0f, 0.0f, -0.0f};
  const std::vector<double> precise = {1.0 / 3, -1e300};
  const std::vector<std::uint8_t> bytes = {1, 2, 255};
  const std::vector<std::uint64_t> state = {~std::uint64_t{0}};
  SafeTensorFile file;
  file.metadata = {{"network", "MicroNet"}, {"note", "\"q\" \\ \n \x01 \xC3\xA4 \xF0\x9F\x94\xAC"}};
  file.tensors.push_back(make_safe_tensor<std::uint8_t>("z", {3}, bytes));
  file.tensors.push_back(make_safe_tensor<float>("down1.conv1.weight", {2, 3}, weights));
  file.tensors.push_back(make_safe_tensor<double>("a \"\xC3\xA4\"", {2, 1}, precise));
  file.tensors.push_back(make_safe_tensor<std::uint64_t>("rng", {}, state));
  file.tensors.push_back(make_safe_tensor<float>("none", {0, 5}, {}));
  return file;
}

}  // namespace

TEST_CASE("tensors and metadata come back, sorted by name") {
  const TemporaryFolder folder;
  SafeTensorFile file = sample();
  write_safetensors(folder / "w", file);
  const SafeTensorFile back = read_safetensors(folder / "w");
  CHECK(back.metadata == file.metadata);
  REQUIRE(back.tensors.size() == 5);
  CHECK(std::is_sorted(back.tensors.begin(), back.tensors.end(), [](auto& a, auto& b) { return a.name < b.name; }));
  for (const SafeTensor& tensor : file.tensors) {
    const SafeTensor* found = back.find(tensor.name);
    REQUIRE(found != nullptr);
    CHECK((found->dtype == tensor.dtype && found->shape == tensor.shape && found->data == tensor.data));
  }
  CHECK(back.find("nothing") == nullptr);
  CHECK(to_floats(*back.find("down1.conv1.weight"))[1] == -2.25f);

  const std::string bytes = contents_of(folder / "w");
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  CHECK(header % 8 == 0);
  std::swap(file.tensors[0], file.tensors[3]);
  write_safetensors(folder / "w2", file);
  CHECK(contents_of(folder / "w2") == bytes);
  write_safetensors(folder / "empty", {});
  CHECK(read_safetensors(folder / "empty").tensors.empty());
}

TEST_CASE("a file of Python's safetensors loads") {
  const SafeTensorFile file = read_safetensors(std::filesystem::path(NUCDET_TEST_DIR) / "golden/python.safetensors");
  CHECK(file.metadata.at("licence") == "CC BY 4.0 \xC2\xB7 \n");
  REQUIRE(file.tensors.size() == 6);
  const SafeTensor& weight = *file.find("down1.conv1.weight");
  CHECK(weight.shape == std::vector<Index>{2, 3, 2, 2});
  const std::vector<double> values = to_doubles(weight);
  for (std::size_t i = 0; i < 24; ++i) CHECK(values[i] == static_cast<double>(i) / 8 - 1);
  const std::vector<float> half = to_floats(*file.find("half"));
  CHECK((half[2] == 1 && half[3] == -2.5f && half[4] == 65504 && std::isinf(half[6]) && std::signbit(half[1])));
  CHECK(half[5] == Approx(5.9604645e-8f));
  CHECK(to_doubles(*file.find("double")) == std::vector<double>{1.0 / 3, -1e300});
  CHECK(file.find("scalar")->shape.empty());
  CHECK(file.find("empty")->data.empty());
  CHECK(file.find("kern \xC3\xA4\xE4\xB8\xAD\xF0\x9F\x94\xAC \"q\" \\") != nullptr);
  CHECK_THROWS_AS(to_floats(*file.find("scalar")), IoError);
}

TEST_CASE("bfloat16 is the upper half of a float") {
  SafeTensor tensor{"b", "BF16", {2}, {std::byte{0x80}, std::byte{0x3F}, std::byte{0x40}, std::byte{0xC0}}};
  CHECK(to_floats(tensor) == std::vector<float>{1.0f, -3.0f});
}

TEST_CASE("malformed safetensors are told apart") {
  const struct {
    const char* header;
    std::size_t data;
    const char* wanted;
  } cases[] = {
      {"", 0, "found the end, wanted '{'"},
      {"[]", 0, "found '[', wanted '{'"},
      {"{", 0, "wanted '\"'"},
      {"{} x", 0, "wanted the end of the header"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},})", 4, "found '}', wanted '\"'"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3, "lies at bytes 0 to 4 of 3"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5, "the tensors have 4 bytes, the file holds 5"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "has 4 bytes, its type and shape want 8"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "lies at bytes 4 to 0"},
      {R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4, "the unknown type 'F31'"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "found '-', wanted a whole number"},
      {R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "found '.', wanted ']'"},
      {R"({"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}})", 4, "without leading zeros"},
      {R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})", 4, "below 2^63"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "is too large"},
      {R"({"a":{"dtype":"U8","shape":[9223372036854775807,2],"data_offsets":[0,0]}})", 0, "is too large"},
      {R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4, "found '[', wanted a whole number"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "lacks dtype, shape or data_offsets"},
      {R"({"a":{}})", 0, "found '}', wanted '\"'"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":{}}})", 4, "has 'more'"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "has 'dtype' twice"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
       2, "tensor 'a' is there twice"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3, "tensor 'b' begins at byte 1, wanted 2"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
       3, "tensor 'b' begins at byte 2, wanted 1"},
      {R"({"__metadata__":{"a":1}})", 0, "found '1', wanted '\"'"},
      {R"({"__metadata__":{"a":"1","a":"2"}})", 0, "metadata 'a' is there twice"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "'__metadata__' is there twice"},
      {R"({"__metadata__":{"a":"\ud800"}})", 0, "wanted a low surrogate"},
      {R"({"__metadata__":{"a":"\udc00"}})", 0, "wanted a high surrogate"},
      {R"({"__metadata__":{"a":"\u12g4"}})", 0, "wanted four hexadecimal digits"},
      {R"({"__metadata__":{"a":"\x"}})", 0, "wanted an escape"},
      {"{\"__metadata__\":{\"a\":\"\n\"}}", 0, "wanted a control character written as an escape"},
      {"{\"__metadata__\":{\"a\":\"\xC0\x80\"}}", 0, "wanted UTF-8"},
      {"{\"__metadata__\":{\"a\":\"\xED\xA0\x80\"}}", 0, "wanted UTF-8"},
      {R"({"__metadata__":{"a)", 0, "wanted a closing quote"},
  };
  for (const auto& c : cases) {
    INFO(c.header);
    const std::string found = error(c.header, c.data);
    INFO(found);
    CHECK(found.find("f: ") == 0);
    CHECK(found.find(c.wanted) != std::string::npos);
  }
  const std::string nested = "{\"a\":" + std::string(100000, '[');
  CHECK(error(nested, 0).find("wanted '{'") != std::string::npos);
  std::string dimensions = R"({"a":{"dtype":"U8","shape":[1)";
  for (int i = 0; i < 32; ++i) dimensions += ",1";
  CHECK(error(dimensions + R"(],"data_offsets":[0,1]}})", 1).find("more than 32 dimensions") != std::string::npos);
}

TEST_CASE("escapes in names are resolved") {
  const auto file = parse(with_header("{\"__metadata__\":{\"k\":\"\\u00e4\\ud83d\\udd2c\\/\\n\"}}  \n", 0));
  CHECK(file.metadata.at("k") == "\xC3\xA4\xF0\x9F\x94\xAC/\n");
}

TEST_CASE("a safetensors file cut anywhere is an error") {
  const TemporaryFolder folder;
  write_safetensors(folder / "w", sample());
  const std::string bytes = contents_of(folder / "w");
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_THROWS_AS(parse(std::string_view(bytes).substr(0, length)), IoError);
  put(folder / "cut", bytes.substr(0, bytes.size() - 1));
  CHECK(error_of<IoError>([&] { read_safetensors(folder / "cut"); }).find((folder / "cut").string()) == 0);
  CHECK_THROWS_AS(read_safetensors(folder / "missing"), IoError);
  CHECK(error_of<IoError>([] { parse("12345678"); }).find("header of ") != std::string::npos);
}

TEST_CASE("a header is read before data, and of these only what is wanted") {
  const TemporaryFolder folder;
  write_safetensors(folder / "w", sample());
  SafeTensorReader reader(folder / "w");
  const SafeTensorFile whole = read_safetensors(folder / "w");
  REQUIRE(reader.header().tensors.size() == whole.tensors.size());
  CHECK(reader.header().metadata == whole.metadata);
  for (std::size_t i = 0; i < whole.tensors.size(); ++i) {
    CHECK(reader.header().tensors[i].name == whole.tensors[i].name);
    CHECK(reader.header().tensors[i].shape == whole.tensors[i].shape);
    CHECK(reader.header().tensors[i].data.empty());
    const std::string& name = whole.tensors[i].name;
    const SafeTensorFile one = reader.read([&](const SafeTensor& tensor) { return tensor.name == name; });
    REQUIRE(one.tensors.size() == 1);
    CHECK(one.tensors[0].data == whole.tensors[i].data);
  }
}

TEST_CASE("what a sparse file claims to hold is not taken into memory") {
  const TemporaryFolder folder;
  constexpr std::uintmax_t kBytes = std::uintmax_t{1} << 42;
  std::string header = R"({"big":{"dtype":"U8","shape":[4398046511104],"data_offsets":[0,4398046511104]}})";
  const std::uint64_t length = header.size();
  put(folder / "w", std::string(reinterpret_cast<const char*>(&length), 8) + header);
  CHECK(error_of<IoError>([&] { SafeTensorReader(folder / "w"); }).find("'big' lies at bytes 0 to") !=
        std::string::npos);
  std::error_code cannot;
  std::filesystem::resize_file(folder / "w", 8 + length + kBytes, cannot);
  if (cannot) return;  // the file system has not so large files
  SafeTensorReader reader(folder / "w");
  CHECK(reader.header().tensors[0].shape == std::vector<Index>{Index{1} << 42});
  CHECK(reader.read([](const SafeTensor&) { return false; }).tensors.empty());
}

TEST_CASE("what the format cannot hold is not written") {
  const TemporaryFolder folder;
  const auto error_with = [&](auto change) {
    SafeTensorFile file = sample();
    change(file);
    return error_of<ArgumentError>([&] { write_safetensors(folder / "w", file); });
  };
  CHECK(error_with([](auto& f) { f.tensors.push_back(f.tensors[0]); }).find("'z' is there twice") != std::string::npos);
  CHECK(error_with([](auto& f) { f.tensors[1].shape = {2, 4}; }).find("24 bytes") != std::string::npos);
  CHECK(error_with([](auto& f) { f.tensors[1].dtype = "F"; }).find("(F)") != std::string::npos);
  CHECK(error_with([](auto& f) { f.tensors[0].name = "__metadata__"; }).find("cannot be the name") !=
        std::string::npos);
  CHECK(error_with([](auto& f) { f.tensors[0].name = "\xFF"; }).find("cannot be the name") != std::string::npos);
  CHECK(error_with([](auto& f) { f.metadata["k"] = "\xFF"; }).find("metadata 'k'") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "w"));
  const std::vector<float> three(3);
  CHECK_THROWS_AS(make_safe_tensor<float>("t", {2}, three), ArgumentError);
}
