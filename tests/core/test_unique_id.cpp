#include <vector>

#include "nucdet/core/unique_id.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("an identity is never used again: copies get their own, moves take theirs along") {
  const UniqueId first, second;
  CHECK(first.number() != second.number());
  const UniqueId copy(first);
  CHECK(copy.number() != first.number());
  UniqueId moved_from;
  const std::uint64_t number = moved_from.number();
  UniqueId moved(std::move(moved_from));
  CHECK(moved.number() == number);
  CHECK(moved_from.number() != number);  // what is left is another object
  UniqueId assigned;
  assigned = first;
  CHECK(assigned.number() != first.number());
  assigned = std::move(moved);
  CHECK(assigned.number() == number);
  std::vector<UniqueId> grown(1);
  const std::uint64_t kept = grown[0].number();
  grown.resize(100);
  CHECK(grown[0].number() == kept);  // moved, not copied, as its vector grew
}
