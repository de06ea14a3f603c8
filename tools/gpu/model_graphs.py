"""Calls of a model as CUDA graphs: captured, timed by turns, and taken apart into kernels as
PyTorch's profiler sees them."""

import collections
import statistics
import time


class Call:
    """A call to be timed: as a graph that is replayed or, where it can't be captured
    (``not_captured`` says why), as it is. Holds what the graph reads."""

    def __init__(self, launch):
        import torch
        self.launch, self.replay, self.not_captured = launch, launch, "no GPU"
        if not torch.cuda.is_available():
            return
        try:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):
                    launch()
            stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream):
                launch()
            self.replay, self.not_captured = graph.replay, None
        except TimeoutError:
            raise
        except Exception as error:
            torch.cuda.synchronize()
            self.not_captured = f"not captured: {type(error).__name__}: {error}"[:160]

    def ms(self):
        """Milliseconds of one replay."""
        import torch
        if not torch.cuda.is_available():
            start = time.perf_counter()
            self.replay()
            return 1e3 * (time.perf_counter() - start)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        begin.record()
        self.replay()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)


def medians(calls, repeats):
    """Milliseconds of each call, all timed by turns: a card that grows warm between the
    first and the last, and clocks lower, is as warm for each."""
    times = [[] for _ in calls]
    for count in range(repeats + 3):
        for call, found in zip(calls, times):
            ms = call.ms()
            if count >= 3:
                found.append(ms)
    return [statistics.median(found) for found in times]


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
    runs = [found for _ in range(times) if (found := timeline(replay))]
    if not runs:  # CUPTI may see nothing
        return None
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
