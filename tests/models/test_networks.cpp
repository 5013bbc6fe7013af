#include "nucdet/models/networks.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using Catch::Matchers::Contains;

TEST_CASE("A network's choice goes into metadata and comes back") {
  for (const std::string& name : models::network_names()) {
    const models::NetworkChoice choice{.name = name, .base = 8};
    const models::NetworkChoice back = models::network_from(models::to_metadata(choice), "here");
    CHECK(back.name == name);
    CHECK(back.base == 8);
    CHECK(back.maps == models::paper_use(name).maps);  // settled: a file says how many there are
  }
}

TEST_CASE("A file that says nothing of maps is of a regressor") {
  auto metadata = models::to_metadata({.name = "micronet", .base = 4, .maps = 2});
  metadata.erase("network.maps");
  CHECK(models::network_from(metadata, "here").maps == 1);
}

TEST_CASE("A network by name is the one that was asked for") {
  Context<Cpu> context({.threads = 1});
  CHECK(models::make_network(context, {.name = "micronet", .base = 32})->parameters()->parameter_count() == 11'724'705);
  CHECK(models::make_network(context, {.name = "unet", .base = 8})->out_channels() == 2);
  CHECK_THROWS_WITH(models::make_network(context, {.name = "micronet-lite", .base = 7}),
                    Contains("no network 'micronet-lite base 7") && Contains("micronet-lite base 32"));
  CHECK_THROWS_WITH(models::make_network(context, {.name = "unknown"}), Contains("fcrn-b-alt"));
}

TEST_CASE("The widths of a network, as it is used, in order") {
  CHECK(models::widths_of({.name = "frcn", .base = 5}) == std::vector<int>{4, 8, 12, 16, 32});
  CHECK(models::widths_of({.name = "unet"}) == std::vector<int>{8, 12, 16, 32, 64});
  CHECK(models::widths_of({.name = "unet", .maps = 1}) == std::vector<int>{8, 16, 32, 64});
  CHECK(models::widths_of({.name = "micronet-lite", .classes = 3}) == std::vector<int>{8, 32});
  CHECK(models::widths_of({.name = "unknown"}).empty());
}
