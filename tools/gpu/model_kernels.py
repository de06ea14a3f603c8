"""Kernels of a call on a GPU, as PyTorch's profiler sees them."""

import collections


def timeline(launch):
    """What a call runs on the GPU, in order: (name, start, end) in microseconds, copies and
    fills too."""
    import torch
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as found:
        launch()
        torch.cuda.synchronize()
    return sorted(((event.name, event.time_range.start, event.time_range.end)
                   for event in found.events()
                   if event.device_type == DeviceType.CUDA
                   and not getattr(event, "is_user_annotation", False)),
                  key=lambda entry: entry[1])


def is_copy(entry):
    return entry[0].startswith(("Memcpy", "Memset"))


def count(entries):
    """How many kernels, copies and fills aside."""
    return sum(not is_copy(entry) for entry in entries)


def table(replay, times=5):
    """Of a graph's replay: the kernels by name with how many there are and their
    microseconds, the most first, and the time that none of them runs in; medians of some
    replays."""
    replay()
    runs = [timeline(replay) for _ in range(times)]
    runs.sort(key=lambda entries: entries[-1][2] - entries[0][1])
    entries = runs[len(runs) // 2]
    spent, counts, idle, last = collections.Counter(), collections.Counter(), 0.0, None
    for name, start, end in entries:
        spent[name] += end - start
        counts[name] += 1
        if last is not None:
            idle += max(0.0, start - last)
        last = end if last is None else max(last, end)
    return {"idle_us": idle, "busy_us": (last - entries[0][1]) - idle,
            "kernels": [{"name": name, "count": counts[name], "us": us}
                        for name, us in spent.most_common()]}
