#include <fstream>
#include <initializer_list>
#include <set>
#include <string_view>

#include "nucdet/slide/journal.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using slide::Journal;

namespace {

std::vector<Nucleus> nuclei_of(Index tile) {
  std::vector<Nucleus> nuclei;
  for (Index i = 0; i < tile % 5; ++i)
    nuclei.push_back({{0.1 + static_cast<double>(tile), static_cast<double>(i)}, 0.5f, static_cast<int>(i) - 1, 0.25f});
  return nuclei;
}

bool same(const std::vector<Nucleus>& a, const std::vector<Nucleus>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Nucleus& i, const Nucleus& j) {
    return i.centre == j.centre && i.score == j.score && i.class_id == j.class_id &&
           i.class_probability == j.class_probability;
  });
}

}  // namespace

TEST_CASE("a journal gives the tiles' nuclei back in the order of their numbers") {
  const TemporaryFolder folder;
  std::vector<Nucleus> wanted;
  for (Index tile = 0; tile < 20; ++tile)
    for (const Nucleus& n : nuclei_of(tile)) wanted.push_back(n);
  {
    Journal journal(folder / "j", "key");
    for (Index i = 0; i < 20; ++i) journal.add((7 * i) % 20, nuclei_of((7 * i) % 20));
    CHECK(same(journal.read(), wanted));
    CHECK_THROWS_AS(journal.add(3, {}), ArgumentError);
  }
  CHECK(Journal::is_journal(folder / "j"));
  Journal again(folder / "j", "key");
  CHECK((again.tiles().size() == 20 && again.nuclei() == 40));
  CHECK(same(again.read(), wanted));
  again.remove();
  CHECK_FALSE(std::filesystem::exists(folder / "j"));
}

TEST_CASE("a journal that was cut or damaged anywhere goes on from its last whole tile") {
  const TemporaryFolder folder;
  {
    Journal journal(folder / "whole", "key");
    for (Index tile = 0; tile < 8; ++tile) journal.add(tile, nuclei_of(tile));
  }
  const std::string bytes = contents_of(folder / "whole");
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 3) {
    std::ofstream(folder / "cut", std::ios::binary) << bytes.substr(0, cut);
    Journal journal(folder / "cut", "key");
    const Index kept = static_cast<Index>(journal.tiles().size());
    for (Index tile = kept; tile < 8; ++tile) journal.add(tile, nuclei_of(tile));
    CHECK(contents_of(folder / "cut") == bytes);
  }
  std::string damaged = bytes;
  damaged[bytes.size() / 2] ^= 1;
  std::ofstream(folder / "damaged", std::ios::binary) << damaged;
  CHECK(Journal(folder / "damaged", "key").tiles().size() < 8);
}

TEST_CASE("a tile that stands in a journal twice is taken once, and what follows it not at all") {
  const TemporaryFolder folder;
  const auto written = [&](const char* name, std::initializer_list<Index> tiles) {
    Journal journal(folder / name, "key");
    for (const Index tile : tiles) journal.add(tile, nuclei_of(tile));
    return contents_of(folder / name);
  };
  const std::string none = written("none", {}), first = written("first", {4}).substr(none.size()),
                    other = written("other", {3}).substr(none.size());
  // As when two that cannot lock it write the same journal: after their own tiles each has the other's.
  std::ofstream(folder / "twice", std::ios::binary) << none + other + first + first + first;
  Journal journal(folder / "twice", "key");
  CHECK((journal.tiles() == std::set<Index>{3, 4} && journal.nuclei() == 7));
  std::vector<Nucleus> wanted = nuclei_of(3);
  for (const Nucleus& n : nuclei_of(4)) wanted.push_back(n);
  CHECK(same(journal.read(), wanted));
  journal.add(2, nuclei_of(2));
  CHECK(contents_of(folder / "twice").size() ==
        none.size() + other.size() + first.size() + written("two", {2}).size() - none.size());
}

TEST_CASE("a journal that another process changes while it is used is refused, not read beyond its end") {
  const TemporaryFolder folder;
  Journal journal(folder / "j", "key");
  for (const Index tile : {1, 3, 4}) journal.add(tile, nuclei_of(tile));
  const std::string bytes = contents_of(folder / "j");
  constexpr std::size_t kHeader = std::string_view("nucdet journal 1\nkey\n").size(), kHead = 24, kRow = 32;
  const auto changed = [&](std::size_t at, const std::string& part) {
    std::fstream(folder / "j", std::ios::binary | std::ios::in | std::ios::out)
        .seekp(static_cast<std::streamoff>(at))
        .write(part.data(), static_cast<std::streamsize>(part.size()));
    return error_of<IoError>([&] { journal.read(); });
  };
  CHECK(changed(0, bytes).empty());
  const std::size_t third = kHeader + kHead + kRow, fourth = third + kHead + 3 * kRow;
  // The first tile's number goes to the second: a whole tile of the same number, with its own hash.
  const std::string lone = bytes.substr(kHeader, kHead + kRow);
  CHECK(changed(third, lone).find("has changed") != std::string::npos);
  changed(0, bytes);
  CHECK(changed(fourth + 8, std::string(8, '\xff')).find("has changed") != std::string::npos);  // rows without number
  changed(0, bytes);
  CHECK(changed(kHeader + kHead, "?").find("has changed") != std::string::npos);
  CHECK(changed(0, bytes).empty());
}

TEST_CASE("a journal of other settings begins anew; what is no journal stays") {
  const TemporaryFolder folder;
  Journal(folder / "j", "one").add(1, nuclei_of(1));
  CHECK(Journal(folder / "j", "two").tiles().empty());
  std::ofstream(folder / "mine") << "my notes";
  CHECK_THROWS_AS(Journal(folder / "mine", "k"), IoError);
  CHECK(contents_of(folder / "mine") == "my notes");
  CHECK_FALSE(Journal::is_journal(folder / "mine"));
  const Journal held(folder / "j", "two");
  CHECK_THROWS_AS(Journal(folder / "j", "two"), IoError);
}
