"""How long launches take on a GPU: medians over replays of a CUDA graph."""

import statistics

import torch

L2_BYTES = 50 << 20


def median_us(launches, repeats=30):
    """Median microseconds a launch of a graph that holds all of `launches`."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for launch in launches[:3]:
            launch()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        for launch in launches:
            launch()
    for _ in range(3):
        graph.replay()
    times = []
    for _ in range(repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1e3 / len(launches))
    return statistics.median(times)


def repeated(launches, rows):
    """Enough launches that starting the graph, some microseconds, weighs nothing."""
    at_least = 1024 if rows <= 128 else 128 if rows <= 2048 else 32
    return launches * max(1, -(-at_least // len(launches)))


def peak_copy_rate():
    """Bytes read and written a microsecond by plain copies of 256 MiB, the L2 rotated past.
    (Copies of 512 MiB and more, which PyTorch makes in another way, were a fifth slower.)"""
    pairs = [[torch.empty(1 << 26, dtype=torch.float32, device="cuda") for _ in range(2)]
             for _ in range(4)]
    copies = [lambda a=a, b=b: b.copy_(a) for a, b in pairs]
    return 2 * pairs[0][0].nbytes / median_us(copies * 4, repeats=10)
