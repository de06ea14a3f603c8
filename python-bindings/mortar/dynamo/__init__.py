"""The backend "mortar" of torch.compile."""

from mortar.dynamo.backend import Backend, mortar
from mortar.dynamo.explain import explain
from mortar.dynamo.report import ChainReport, Explanation, GraphReport, RefusalReport

__all__ = ["Backend", "ChainReport", "Explanation", "GraphReport", "RefusalReport",
           "explain", "mortar"]
