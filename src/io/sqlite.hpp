#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "nucdet/core/error.hpp"

/// SQLite whose errors are IoErrors. `where` names the file in them.
namespace nucdet::io::detail {

class Database {
 public:
  /// vfs: of SQLite's own; null: the default, which locks.
  Database(const std::string& name, int flags, std::string_view where, const char* vfs = nullptr) : where_(where) {
    if (sqlite3_open_v2(name.c_str(), &db_, flags, vfs) == SQLITE_OK) return;
    const std::string why = db_ == nullptr ? "no memory" : sqlite3_errmsg(db_);
    sqlite3_close(db_);
    throw IoError(message(where_, ": cannot be opened: ", why));
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close_v2(db_); }

  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  void check(int result) const {
    if (result != SQLITE_OK && result != SQLITE_ROW && result != SQLITE_DONE) fail();
  }
  [[noreturn]] void fail() const { throw IoError(message(where_, ": SQLite: ", sqlite3_errmsg(db_))); }
  sqlite3* get() const { return db_; }
  std::string_view where() const { return where_; }

 private:
  std::string where_;
  sqlite3* db_ = nullptr;
};

class Statement {
 public:
  Statement(const Database& db, std::string_view sql) : db_(db) {
    db.check(sqlite3_prepare_v2(db.get(), sql.data(), static_cast<int>(sql.size()), &statement_, nullptr));
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  /// False at the end.
  bool step() {
    const int result = sqlite3_step(statement_);
    db_.check(result);
    return result == SQLITE_ROW;
  }
  /// Runs it to the end, so that it can be bound anew.
  void run() {
    while (step()) {}
    db_.check(sqlite3_reset(statement_));
  }

  // Parameters count from 1. Texts and bytes are to live until the next run.
  void bind(int i, std::int64_t value) { db_.check(sqlite3_bind_int64(statement_, i, value)); }
  void bind(int i, double value) { db_.check(sqlite3_bind_double(statement_, i, value)); }
  void bind(int i, std::string_view text) {
    db_.check(sqlite3_bind_text64(statement_, i, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind_bytes(int i, std::string_view bytes) {
    db_.check(sqlite3_bind_blob64(statement_, i, bytes.data(), bytes.size(), SQLITE_STATIC));
  }
  void bind_null(int i) { db_.check(sqlite3_bind_null(statement_, i)); }

  // Columns count from 0. Texts and bytes live until the next step.
  int type(int i) const { return sqlite3_column_type(statement_, i); }
  std::int64_t integer(int i) const { return sqlite3_column_int64(statement_, i); }
  double number(int i) const { return sqlite3_column_double(statement_, i); }
  /// A text is UTF-8, however the file has it.
  std::string_view bytes(int i) const {
    const void* data = type(i) == SQLITE_TEXT ? static_cast<const void*>(sqlite3_column_text(statement_, i))
                                              : sqlite3_column_blob(statement_, i);
    const int size = sqlite3_column_bytes(statement_, i);
    if (data == nullptr && size > 0) db_.fail();
    return data == nullptr ? std::string_view()
                           : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
  }

 private:
  const Database& db_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace nucdet::io::detail
