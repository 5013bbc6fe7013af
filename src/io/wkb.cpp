#include "wkb.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

namespace {

enum Kind : std::uint32_t { kPoint = 1, kPolygon = 3, kMultiPoint = 4, kMultiPolygon = 6 };

class WkbReader {
 public:
  WkbReader(std::string_view bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  void read(const std::function<void(Point)>& point, const std::function<void(Outline)>& outline) {
    const std::uint32_t kind = head();
    if (kind == kPoint) return point(corner());
    if (kind == kMultiPoint) {
      for (std::uint32_t n = count(5 + 16); n > 0; --n) expect(kPoint), point(corner());
      return;
    }
    Outline found;
    if (kind == kPolygon) {
      polygon(found);
    } else if (kind == kMultiPolygon) {
      for (std::uint32_t n = count(5 + 4); n > 0; --n) expect(kPolygon), polygon(found);
    } else {
      throw IoError(
          message(where_, " has a geometry of kind ", kind, ", wanted a point (1), a polygon (3), or several (4, 6)"));
    }
    if (found.outer.empty()) damaged();
    outline(std::move(found));
  }

 private:
  static constexpr std::uint32_t kSystem = 0x20000000, kM = 0x40000000, kZ = 0x80000000;

  std::uint32_t head() {
    take(1);
    swap_ = (bytes_[at_ - 1] == 1) != (std::endian::native == std::endian::little);
    const std::uint32_t type = number<std::uint32_t>(), thousands = (type & 0xFFFFu) / 1000;
    further_ = ((type & kZ) != 0) + ((type & kM) != 0) + (thousands == 3 ? 2 : thousands != 0);
    if ((type & kSystem) != 0) take(4);
    return (type & 0xFFFFu) % 1000;
  }
  void expect(std::uint32_t kind) {
    if (head() != kind) damaged();
  }
  void polygon(Outline& outline) {
    const std::uint32_t rings = count(4);
    for (std::uint32_t r = 0; r < rings; ++r) {
      std::vector<Point> ring(count(16));
      if (ring.empty()) damaged();
      for (Point& p : ring) p = corner();
      if (r == 0) outline.outer.push_back(outline.area.rings.size());
      outline.area.rings.push_back(std::move(ring));
    }
  }
  Point corner() {
    const double x = number<double>(), y = number<double>();
    take(8 * static_cast<std::size_t>(further_));
    if (!(std::abs(x) <= kLargestCoordinate && std::abs(y) <= kLargestCoordinate))
      throw IoError(message(where_, " has the position (", x, ", ", y, "), which no pixel has"));
    return {x, y};
  }
  /// So many parts of at least `size` bytes are to follow.
  std::uint32_t count(std::size_t size) {
    const std::uint32_t n = number<std::uint32_t>();
    if (n > (bytes_.size() - at_) / size) damaged();
    return n;
  }
  template <class T>
  T number() {
    take(sizeof(T));
    char raw[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) raw[i] = bytes_[at_ - (swap_ ? 1 + i : sizeof(T) - i)];
    T value;
    std::memcpy(&value, raw, sizeof(T));
    return value;
  }
  void take(std::size_t size) {
    if (bytes_.size() - at_ < size) damaged();
    at_ += size;
  }
  [[noreturn]] void damaged() const { throw IoError(message(where_, " has a geometry that is no well-known binary")); }

  std::string_view bytes_, where_;
  std::size_t at_ = 0;
  bool swap_ = false;
  int further_ = 0;  // numbers of a corner after x and y
};

template <class T>
void append(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

void begin(std::string& bytes, Kind kind, std::size_t parts) {
  bytes += std::endian::native == std::endian::little ? '\1' : '\0';
  append(bytes, std::uint32_t{kind});
  append(bytes, static_cast<std::uint32_t>(parts));
}

}  // namespace

void parse_wkb(std::string_view bytes, std::string_view where, const std::function<void(Point)>& point,
               const std::function<void(Outline)>& outline) {
  WkbReader(bytes, where).read(point, outline);
}

std::string wkb_of(const Area& area, const std::vector<std::vector<std::size_t>>& polygons) {
  std::string bytes;
  if (polygons.size() != 1) begin(bytes, kMultiPolygon, polygons.size());
  for (const std::vector<std::size_t>& rings : polygons) {
    begin(bytes, kPolygon, rings.size());
    for (const std::size_t ring : rings) {
      const std::vector<Point>& corners = area.rings[ring];
      const bool closed = corners.front() == corners.back();
      append(bytes, static_cast<std::uint32_t>(corners.size() + (closed ? 0 : 1)));
      for (const Point& p : corners) append(bytes, p.x), append(bytes, p.y);
      if (!closed) append(bytes, corners.front().x), append(bytes, corners.front().y);
    }
  }
  return bytes;
}

}  // namespace nucdet::io::detail
