#pragma once
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "nucdet/core/shape.hpp"
#include "nucdet/detect/nucleus.hpp"

namespace nucdet::slide {

/// The nuclei of a slide's finished tiles, on the disk, while the others are still to come: a run that was ended goes
/// on from it. It is the machine's own file of bytes, not one for exchange.
///
/// Each tile is one write, with its hash: what a killed process or a full disk left of a tile is cut off when the
/// journal is opened again. One process at a time has it (flock).
class Journal {
 public:
  /// Opens the file, or makes it. What belongs to another `key` is thrown away: the key stands for everything that the
  /// nuclei depend on. Throws IoError if another process has it, and for a file that is no journal.
  Journal(const std::filesystem::path& file, const std::string& key);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// The numbers of the tiles it holds.
  const std::set<Index>& tiles() const { return tiles_; }
  bool holds(Index tile) const { return tiles_.count(tile) > 0; }
  /// Of all its tiles.
  Index nuclei() const { return nuclei_; }

  /// Throws IoError; the journal then holds what it held before.
  void add(Index tile, std::span<const Nucleus> nuclei);

  /// All nuclei, in the order of the tiles' numbers. Throws IoError.
  std::vector<Nucleus> read() const;

  /// Removes the file: its nuclei stand elsewhere now.
  void remove();

  /// Whether a file is one.
  static bool is_journal(const std::filesystem::path& file);

 private:
  void recover(const std::string& key);

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::int64_t end_ = 0;  ///< bytes that are whole
  std::set<Index> tiles_{};
  Index nuclei_ = 0;
};

}  // namespace nucdet::slide
