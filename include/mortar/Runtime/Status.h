//===- Status.h - Errors as values ------------------------------*- C++ -*-===//
//
// The runtime throws nothing. A call which can fail returns a Status, or an
// Expected<T> holding either the value or the Status which says why there is
// none. A message is one line: where, what was expected, what was found.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_RUNTIME_STATUS_H
#define MORTAR_RUNTIME_STATUS_H

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mortar::runtime {

namespace detail {
template <typename T> void appendPart(std::string &text, const T &part) {
  if constexpr (std::is_arithmetic_v<T>)
    text += std::to_string(part);
  else
    text += std::string_view(part);
}
} // namespace detail

/// Success, or one line of text. Success allocates nothing.
class [[nodiscard]] Status {
public:
  Status() = default;

  /// An error whose message is the parts (text or numbers) one after another.
  template <typename... Parts> static Status error(const Parts &...parts) {
    std::string text;
    (detail::appendPart(text, parts), ...);
    Status status;
    status.text = std::make_shared<const std::string>(std::move(text));
    return status;
  }

  bool ok() const { return !text; }

  /// Empty when ok().
  const std::string &message() const {
    static const std::string none;
    return text ? *text : none;
  }

  /// The same error with the place in front: "place: message". Success stays.
  template <typename... Parts> Status in(const Parts &...place) const {
    return ok() ? Status() : error(place..., ": ", *text);
  }

private:
  /// A pointer, as every check of every launch makes one of these.
  std::shared_ptr<const std::string> text;
};

/// A T, or the error which stood in its way. Dereference only when ok().
template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : value(std::move(value)) {}
  Expected(Status error) : problem(std::move(error)) {
    if (problem.ok())
      problem = Status::error("internal error: success without a value");
  }

  bool ok() const { return value.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status &status() const { return problem; }
  const std::string &message() const { return problem.message(); }

  T &operator*() & { return *value; }
  const T &operator*() const & { return *value; }
  T &&operator*() && { return std::move(*value); }
  T *operator->() { return &*value; }
  const T *operator->() const { return &*value; }

private:
  std::optional<T> value;
  Status problem;
};

/// A read-only view of elements which somebody else owns.
template <typename T> class ArrayView {
public:
  ArrayView() = default;
  ArrayView(const T *data, size_t size) : first(data), count(size) {}
  ArrayView(const std::vector<T> &elements)
      : first(elements.data()), count(elements.size()) {}
  template <size_t N>
  ArrayView(const T (&elements)[N]) : first(elements), count(N) {}

  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  const T &operator[](size_t index) const { return first[index]; }
  const T *begin() const { return first; }
  const T *end() const { return first + count; }

private:
  const T *first = nullptr;
  size_t count = 0;
};

} // namespace mortar::runtime

#endif // MORTAR_RUNTIME_STATUS_H
