"""mortar.explain: which chains of a model are Mortar's, and why other nodes are not."""

from __future__ import annotations

from typing import Any

import torch

from mortar.dynamo.backend import Backend
from mortar.dynamo.report import Explanation, GraphReport


def explain(model: Any, *inputs: Any, **named: Any) -> Explanation:
    """Compiles ``model`` as torch.compile(model, backend="mortar") does and calls it once on
    these inputs. A graph is one of training where gradients are wanted: call it under
    torch.no_grad() to see what inference has.

        print(mortar.explain(model, tokens))
    """
    graphs: list[GraphReport] = []
    # From Inductor's caches a graph comes without a pass.
    backend = Backend(graphs.append, {"force_disable_caches": True})
    # Code compiled before for the same model stays, and isn't used here.
    torch.compile(model, backend=backend)(*inputs, **named)
    return Explanation(graphs)
