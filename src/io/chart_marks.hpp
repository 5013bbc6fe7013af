#pragma once
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/io/chart.hpp"
#include "nucdet/io/provenance.hpp"

/// The SVG elements that charts consist of.
namespace nucdet::io::detail {

/// Okabe and Ito's colours with brown for their yellow, which is too pale for lines: told apart with any colour vision.
/// Dash patterns for print without colour.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                                    "#333333", "#56b4e9", "#6b3d00", "#8a8a8a"};
constexpr const char* kDashes[] = {"", "7 3", "2 3", "9 3 2 3", "4 2", "1 2", "14 4", "9 3 2 3 2 3", "20 3"};
constexpr std::size_t kStyles = 9, kMarkers = 5;

/// With a decimal point in every locale.
inline std::string fixed(double value) {
  char text[400];
  std::string out(text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 2).ptr);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

inline std::string general(double value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr};
}

inline std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

/// About, as the viewer chooses the font; of UTF-8.
inline double text_width(std::string_view text) {
  double width = 0;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) width += 7.2;
  return width;
}

/// An SVG document that grows by elements.
class Svg {
 public:
  Svg(int wide, int high) {
    const std::string width = std::to_string(wide), height = std::to_string(high);
    out_ = R"(<svg xmlns="http://www.w3.org/2000/svg" width=")" + width + R"(" height=")" + height +
           R"(" viewBox="0 0 )" + width + ' ' + height +
           R"(" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#222">)"
           "\n<!-- " +
           std::string(kMadeBy) + " -->\n" +
           R"(<rect width="100%" height="100%" fill="#fff"/>)"
           "\n";
  }

  std::string finished() const { return out_ + "</svg>\n"; }
  void raw(std::string_view elements) { out_ += elements; }

  void line(Point a, Point b, std::string_view stroke) {
    out_ += R"(<line x1=")" + fixed(a.x) + R"(" y1=")" + fixed(a.y) + R"(" x2=")" + fixed(b.x) + R"(" y2=")" +
            fixed(b.y) + "\" " + std::string(stroke) + "/>\n";
  }
  void rect(Point corner, double width, double height, std::string_view more) {
    out_ += R"(<rect x=")" + fixed(corner.x) + R"(" y=")" + fixed(corner.y) + R"(" width=")" + fixed(width) +
            R"(" height=")" + fixed(height) + "\" " + std::string(more) + "/>\n";
  }
  void circle(Point at, double radius, std::string_view more) {
    out_ += R"(<circle cx=")" + fixed(at.x) + R"(" cy=")" + fixed(at.y) + R"(" r=")" + fixed(radius) + "\" " +
            std::string(more) + "/>\n";
  }
  void text(Point at, std::string_view words, std::string_view more) {
    out_ += R"(<text x=")" + fixed(at.x) + R"(" y=")" + fixed(at.y) + "\" " + std::string(more) + '>' + escaped(words) +
            "</text>\n";
  }
  void polyline(const std::vector<Point>& points, std::string_view stroke) {
    out_ += R"(<polyline fill="none" stroke-linejoin="round" )" + std::string(stroke) + R"( points=")";
    for (const Point& p : points) out_ += fixed(p.x) + ',' + fixed(p.y) + ' ';
    out_.back() = '"';
    out_ += "/>\n";
  }
  void path(std::string_view steps, std::string_view more) {
    out_ += R"(<path d=")" + std::string(steps) + "\" " + std::string(more) + "/>\n";
  }

  void marker(Point at, ChartMarker shape, std::string_view colour) {
    const std::string fill = R"(fill=")" + std::string(colour) + '"', from = 'M' + fixed(at.x) + ' ' + fixed(at.y);
    switch (shape) {
      case ChartMarker::circle:
        return circle(at, 3.5, fill);
      case ChartMarker::square:
        return path(from + "m-3.2 -3.2h6.4v6.4h-6.4z", fill);
      case ChartMarker::triangle:
        return path(from + "m0 -4.4l4.2 7h-8.4z", fill);
      case ChartMarker::diamond:
        return path(from + "m0 -4.6l4.6 4.6l-4.6 4.6l-4.6 -4.6z", fill);
      case ChartMarker::star:
        return path(from +
                        "m0 -6l1.53 3.9l4.18 0.25l-3.24 2.65l1.06 4.05l-3.53 -2.25l-3.53 2.25l1.06 -4.05"
                        "l-3.24 -2.65l4.18 -0.25z",
                    fill);
    }
  }

 private:
  std::string out_;
};

}  // namespace nucdet::io::detail
