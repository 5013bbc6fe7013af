#include <fstream>

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
