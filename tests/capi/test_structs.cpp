// Structs that have grown: callers of every version, and a library that is older than they are.
#include "capi/call.hpp"
#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

namespace {

/// As it was published first, today, and in a version to come.
struct First {
  std::size_t size;
  std::int32_t tile, average;
};
struct Options {
  std::size_t size;
  std::int32_t tile, average;
  double added;
};
struct Later {
  std::size_t size;
  std::int32_t tile, average;
  double added, unknown;
};

}  // namespace

template <>
inline constexpr std::size_t nucdet::capi::kFirstSize<Options> = sizeof(First);

namespace {

/// Of a struct with something behind it.
template <class Given>
Options read(const Given& given) {
  alignas(Given) unsigned char memory[sizeof given + sizeof(Later)];
  std::memset(memory, 3, sizeof memory);
  std::memcpy(memory, &given, sizeof given);
  return nucdet::capi::read_struct(*reinterpret_cast<const Options*>(memory), "options");
}

}  // namespace

TEST_CASE("what an earlier caller does not know is 0, and what lies behind its struct is not looked at") {
  const Options o = read(First{sizeof(First), 512, 8});
  CHECK((o.tile == 512 && o.average == 8 && o.added == 0));
  const Options now = read(Options{sizeof(Options), 1, 2, 0.5});
  CHECK((now.tile == 1 && now.average == 2 && now.added == 0.5));
}

TEST_CASE("a later caller's settings must be 0 where this version does not know them") {
  CHECK(read(Later{sizeof(Later), 1, 2, 0.5, 0}).added == 0.5);
  const auto refused = [](const auto& given) { return error_of<nucdet::ArgumentError>([&] { read(given); }); };
  CHECK(refused(Later{sizeof(Later), 1, 2, 0.5, 1}).find("which this version of nucdet does not know") !=
        std::string::npos);
  for (const std::size_t size : {std::size_t{0}, sizeof(First) - 1, std::size_t{5000}})
    CHECK(refused(Options{size, 1, 2, 0.5}).find("wanted sizeof(options)") != std::string::npos);
}

TEST_CASE("the structs of the first release keep their size") {
  using nucdet::capi::kFirstSize;
  if (sizeof(void*) != 8) return;
  CHECK((kFirstSize<nucdet_detector_options> == 56 && kFirstSize<nucdet_image> == 80));
  CHECK(kFirstSize<nucdet_slide_options> == 24);
}
