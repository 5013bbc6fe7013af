#pragma once
#include <string>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/io/metadata.hpp"
#include "nucdet/nn/model.hpp"

/// What a network's maps mean, in its weight file's metadata: `head` (proximity, density, softmax) and, of a network
/// with classes, `head.class.0`, `head.class.1`, ... with their names.
namespace nucdet::io {

/// Adds the head, in place of one that is there.
void write_head(const nn::Head& head, Metadata& metadata);

/// The names of the classes that a file tells; none if it tells none.
std::vector<std::string> classes_from(const Metadata& metadata);

/// Gives a model the names of its classes. A file without an entry `head` is of version 0.1, which had none. `where` is
/// the file's name. Throws IoError if the file's head is another one than the network's type names.
template <class Device>
void take_head(const Metadata& metadata, nn::Model<Device>& model, std::string_view where) {
  const auto found = metadata.find("head");
  if (found == metadata.end()) return;
  const nn::Head& head = model.head();
  if (found->second != nn::name_of(head.kind))
    throw detail::wrong_metadata(where, "head", "'" + found->second + "'", nn::name_of(head.kind));
  const std::vector<std::string> names = classes_from(metadata);
  if (names.size() != head.classes.size())
    throw IoError(message(where, ": the file names ", names.size(), " classes, the network has ", head.classes.size()));
  model.name_classes(names);
}

#ifdef NUCDET_INLINE

NUCDET_INLINE void write_head(const nn::Head& head, Metadata& metadata) {
  std::erase_if(metadata, [](const auto& entry) { return entry.first == "head" || entry.first.starts_with("head."); });
  metadata["head"] = nn::name_of(head.kind);
  for (std::size_t i = 0; i < head.classes.size(); ++i)
    metadata[message("head.class.", static_cast<Index>(i))] = head.classes[i];
}

NUCDET_INLINE std::vector<std::string> classes_from(const Metadata& metadata) {
  std::vector<std::string> names;
  for (auto found = metadata.find("head.class.0"); found != metadata.end();
       found = metadata.find(message("head.class.", static_cast<Index>(names.size()))))
    names.push_back(found->second);
  return names;
}

#endif

}  // namespace nucdet::io
