#include "marker_xml.hpp"

#include "nucdet/core/error.hpp"

#include "csv_table.hpp"

#ifdef NUCDET_WITH_PUGIXML
#include <cmath>

#include <pugixml.hpp>
#endif

namespace nucdet::io::detail {

#ifdef NUCDET_WITH_PUGIXML

namespace {

double coordinate(const pugi::xml_node& marker, const char* name, std::string_view where, std::size_t number) {
  double value = 0;
  const std::string text = marker.child(name).text().get();
  const std::size_t first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  const std::string word = first == std::string::npos ? "" : text.substr(first, last - first + 1);
  if (!parse_decimal(word, value) || !(std::abs(value) <= kLargestCoordinate))
    throw IoError(message(where, ": marker ", number, ": ", name, " is ", shown(word), ", wanted a number of pixels"));
  return value;
}

}  // namespace

Annotations parse_marker_xml(std::string_view text, std::string_view where) {
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(text.data(), text.size());
  if (!result) throw IoError(message(where, ": byte ", result.offset, ": is not XML: ", result.description()));
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) != "CellCounter_Marker_File")
    throw IoError(message(where, ": is XML of <", std::string_view(root.name()).substr(0, 40),
                          ">, wanted ImageJ's Cell Counter (<CellCounter_Marker_File>)"));
  Annotations found{.format = "ImageJ Cell Counter"};
  for (const pugi::xml_node& kind : root.child("Marker_Data").children("Marker_Type")) {
    const std::string name = kind.child("Name").text().get(), number = kind.child("Type").text().get();
    const std::size_t first = number.find_first_not_of(" \t\r\n");
    const std::string type =
        first == std::string::npos ? "" : number.substr(first, number.find_last_not_of(" \t\r\n") - first + 1);
    // Some scripts put the markers into <Type>.
    for (const pugi::xml_node& parent : {kind, kind.child("Type")})
      for (const pugi::xml_node& marker : parent.children("Marker")) {
        const std::size_t next = found.points.size() + 1;
        found.points.push_back(
            {coordinate(marker, "MarkerX", where, next), coordinate(marker, "MarkerY", where, next)});
        found.classes.push_back(!name.empty() ? name : type.empty() ? "" : "Type " + type);
      }
  }
  return found;
}

#else

Annotations parse_marker_xml(std::string_view, std::string_view where) {
  throw IoError(message(where, ": is XML, which this build cannot read: it was made without pugixml"));
}

#endif

}  // namespace nucdet::io::detail
