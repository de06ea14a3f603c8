//===- Entry.cpp - Checking arguments and running an entry ----------------===//

#include "Scratch.h"
#include "mortar/Runtime/Executable.h"

#include <limits>

namespace mortar::runtime {

namespace {

/// Everything about one argument but where its elements lie.
Status checkShape(const Argument &declared, const TensorArg &arg) {
  if (arg.type != declared.type) {
    const char *found = elementTypeName(arg.type);
    if (!elementTypeBytes(arg.type))
      return Status::error("expected element type ",
                           elementTypeName(declared.type), ", found number ",
                           uint32_t(arg.type));
    return Status::error("expected element type ",
                         elementTypeName(declared.type), ", found ", found);
  }
  if (arg.rank != declared.shape.size())
    return Status::error("expected rank ", declared.shape.size(), ", found ",
                         arg.rank);
  if (arg.rank > 0 && !arg.shape)
    return Status::error("expected a shape of rank ", arg.rank, ", found null");
  for (uint32_t dim = 0; dim < arg.rank; ++dim) {
    if (arg.shape[dim] < 0)
      return Status::error("expected extent ", dim, " of at least 0, found ",
                           arg.shape[dim]);
    if (declared.shape[dim] >= 0 && arg.shape[dim] != declared.shape[dim])
      return Status::error("expected extent ", dim, " to be ",
                           declared.shape[dim], ", found ", arg.shape[dim]);
  }
  return Status();
}

/// The shape was checked. A dimension of one element has no stride that matters.
Status checkStrides(const Argument &declared, const TensorArg &arg) {
  for (uint32_t dim = 0; arg.strides && dim < arg.rank; ++dim) {
    int64_t stride = arg.strides[dim];
    bool isLast = dim + 1 == arg.rank;
    if (arg.shape[dim] <= 1)
      continue;
    if (isLast && !declared.strided && stride != 1)
      return Status::error("expected the last dimension to have stride 1, found ",
                           stride);
    if (stride < 0)
      return Status::error("expected stride ", dim, " of at least 0, found ",
                           stride);
  }
  return Status();
}

/// The shape was checked.
Status checkAddress(const TensorArg &arg) {
  // An extent of 0 anywhere makes the tensor empty, however large the others.
  bool empty = false;
  for (uint32_t dim = 0; dim < arg.rank; ++dim)
    empty |= arg.shape[dim] == 0;
  if (empty)
    return Status();
  int64_t elementBytes = elementTypeBytes(arg.type), bytes = elementBytes;
  for (uint32_t dim = 0; dim < arg.rank; ++dim)
    if (__builtin_mul_overflow(bytes, arg.shape[dim], &bytes))
      return Status::error("expected less than 2^63 bytes, found more");
  if (!arg.data)
    return Status::error("expected a data pointer for ", bytes / elementBytes,
                         " elements, found null");
  auto address = reinterpret_cast<uintptr_t>(arg.data);
  if (address & (elementBytes - 1)) // a power of two
    return Status::error("expected data aligned to ", elementBytes,
                         " bytes, found address ", address);
  return Status();
}

Status checkEntry(const Artifact &artifact, size_t entry) {
  if (entry >= artifact.entries.size())
    return Status::error("expected an entry below ", artifact.entries.size(),
                         ", found ", entry);
  return Status();
}

std::string placeOf(const Entry &entry) { return "entry '" + entry.name + "'"; }

using DynamicExtents = Scratch<int64_t, 64>;

/// The extents which `shapes` computes, for all Output arguments.
Status computeExtents(const Entry &entry, ArrayView<TensorArg> args,
                      DynamicExtents &extents) {
  RunContext query; // which launches nothing, and so needs no kernels
  query.args = args;
  if (Status status = runProgram(entry.shapes, query, extents.data());
      !status.ok())
    return status.in("entry '", entry.name, "': shapes");
  for (size_t index = 0; index < entry.shapes.outputs.size(); ++index)
    if (extents[index] < 0)
      return Status::error("entry '", entry.name, "': shapes: expected output ",
                           index, " of at least 0, found ", extents[index]);
  return Status();
}

} // namespace

Status checkArguments(const Entry &entry, ArrayView<TensorArg> args,
                      ArgumentCheck what) {
  if (args.size() != entry.args.size())
    return Status::error("entry '", entry.name, "': expected ",
                         entry.args.size(), " arguments, found ", args.size());
  for (size_t index = 0; index < args.size(); ++index) {
    const Argument &declared = entry.args[index];
    if (what == ArgumentCheck::ShapesOfInputs &&
        declared.role == Argument::Output)
      continue;
    Status status = checkShape(declared, args[index]);
    if (status.ok() && what == ArgumentCheck::All)
      status = checkStrides(declared, args[index]);
    if (status.ok() && what == ArgumentCheck::All)
      status = checkAddress(args[index]);
    if (!status.ok())
      return status.in("entry '", entry.name, "', argument ", index, " ('",
                       declared.name, "')");
  }
  return Status();
}

Status checkForLaunch(const Entry &entry, ArrayView<TensorArg> args) {
  // Without the last part an output which is too small would be written past
  // its end.
  if (Status status = checkArguments(entry, args); !status.ok())
    return status;
  DynamicExtents extents(entry.shapes.outputs.size());
  if (Status status = computeExtents(entry, args, extents); !status.ok())
    return status;
  size_t next = 0;
  for (size_t index = 0; index < args.size(); ++index) {
    const Argument &declared = entry.args[index];
    if (declared.role != Argument::Output)
      continue;
    for (uint32_t dim = 0; dim < args[index].rank; ++dim) {
      if (declared.shape[dim] >= 0)
        continue;
      int64_t expected = extents[next++];
      if (args[index].shape[dim] != expected)
        return Status::error("entry '", entry.name, "', argument ", index,
                             " ('", declared.name, "'): expected extent ", dim,
                             " to be ", expected, ", found ",
                             args[index].shape[dim]);
    }
  }
  return Status();
}

Expected<size_t> findEntry(const Artifact &artifact, std::string_view name) {
  std::string names;
  for (size_t index = 0; index < artifact.entries.size(); ++index) {
    const std::string &found = artifact.entries[index].name;
    if (found == name)
      return index;
    names += (index ? ", '" : "'") + found + "'";
  }
  return Status::error("expected an entry '", name, "', found ",
                       names.empty() ? "none at all" : names);
}

Expected<size_t> workspaceBytes(const Artifact &artifact, size_t entry,
                                ArrayView<TensorArg> args) {
  if (Status status = checkEntry(artifact, entry); !status.ok())
    return status;
  const Entry &chosen = artifact.entries[entry];
  if (Status status = checkForLaunch(chosen, args); !status.ok())
    return status;
  RunContext query;
  query.kernels = artifact.kernels;
  query.args = args;
  size_t bytes = 0;
  if (Status status = runProgram(chosen.body, query, nullptr, &bytes);
      !status.ok())
    return status.in(placeOf(chosen));
  return bytes;
}

Expected<std::vector<std::vector<int64_t>>>
resultShapes(const Artifact &artifact, size_t entry,
             ArrayView<TensorArg> args) {
  if (Status status = checkEntry(artifact, entry); !status.ok())
    return status;
  const Entry &chosen = artifact.entries[entry];
  if (Status status =
          checkArguments(chosen, args, ArgumentCheck::ShapesOfInputs);
      !status.ok())
    return status;
  DynamicExtents extents(chosen.shapes.outputs.size());
  if (Status status = computeExtents(chosen, args, extents); !status.ok())
    return status;

  // An Output's shape is declared or computed, an InOut's is what was passed.
  std::vector<std::vector<int64_t>> shapes(args.size());
  size_t next = 0;
  for (size_t index = 0; index < args.size(); ++index) {
    const Argument &declared = chosen.args[index];
    if (declared.role == Argument::InOut)
      shapes[index].assign(args[index].shape,
                           args[index].shape + args[index].rank);
    if (declared.role != Argument::Output)
      continue;
    for (int64_t extent : declared.shape)
      shapes[index].push_back(extent >= 0 ? extent : extents[next++]);
  }
  std::vector<std::vector<int64_t>> results;
  for (const Result &result : chosen.results)
    results.push_back(shapes[result.argument]);
  return results;
}

Status runEntry(const Artifact &artifact, size_t entry,
                ArrayView<TensorArg> args, void *workspace,
                size_t workspaceBytes, Launcher &launcher, void *stream) {
  if (Status status = checkEntry(artifact, entry); !status.ok())
    return status;
  const Entry &chosen = artifact.entries[entry];
  if (Status status = checkForLaunch(chosen, args); !status.ok())
    return status;
  RunContext run;
  run.kernels = artifact.kernels;
  run.args = args;
  run.workspace = workspace;
  run.workspaceBytes = workspaceBytes;
  run.launcher = &launcher;
  run.stream = stream;
  if (Status status = runProgram(chosen.body, run); !status.ok())
    return status.in(placeOf(chosen));
  return Status();
}

} // namespace mortar::runtime
