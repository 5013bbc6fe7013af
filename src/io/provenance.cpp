#include "nucdet/io/provenance.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace nucdet::io {

bool made_by_nucdet(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return false;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.string().c_str(), "rb"), &std::fclose);
  if (!file) return false;
  std::string head(4096, '\0');
  head.resize(std::fread(head.data(), 1, head.size(), file.get()));
  std::string_view text = head;
  const auto holds = [&](std::string_view words) { return text.find(words) != std::string_view::npos; };
  if (text.substr(0, 4) == "\x89PNG") return holds(std::string_view("Software\0nucdet", 15));
  if (text.substr(0, 1) == "{" || text.substr(0, 1) == "[") return holds("\"nucdet");
  return text.substr(0, 10) == "x,y,score\n" || text.substr(0, 10) == "x,y,score,";
}

}  // namespace nucdet::io
