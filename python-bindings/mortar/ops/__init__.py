"""Fused ops, called like functions.

Arrays are PyTorch's, NumPy's, JAX's or CuPy's, on a CPU or an NVIDIA GPU, where they are
launched on the framework's current stream. Results are allocated by that framework, or
given as ``out``. What is compiled depends on element types and row lengths; row counts
are free. Rows may lie apart (strides), their elements may not. Under
:func:`mortar.fuse` the same functions make one kernel together.

What each computes, to the last rounding, stands in dialects/Mortar/OPS.md under the op's
name; ``dtype`` arguments take torch.bfloat16, "bfloat16" and so on. Errors:
:class:`mortar.TraceError` for a wrong type, shape or number, :class:`mortar.LaunchError`
for wrong layouts and devices and extents that don't fit, both naming the argument.
"""

from mortar.ops.delta_rule import (fused_sigmoid_gating_delta_rule_update,
                                   gated_delta_rule, gdn_gating, l2_norm)
from mortar.ops.gates import (fatrelu_and_mul, gelu_and_mul, gelu_tanh_and_mul,
                              silu_and_mul, swigluoai_and_mul, swiglustep_and_mul)
from mortar.ops.norms import (fused_add_rms_norm, gated_rms_norm, gemma_fused_add_rms_norm,
                              gemma_rms_norm, residual_add, rms_norm)
from mortar.ops.quant import (fused_add_rms_norm_dynamic_per_token_quant,
                              fused_add_rms_norm_static_fp8_quant,
                              quantize_fp8, quantize_fp8_per_group, quantize_fp8_per_token,
                              quantize_int8_per_token, rms_norm_dynamic_per_token_quant,
                              rms_norm_static_fp8_quant, silu_and_mul_per_group_quant,
                              silu_and_mul_quant)

__all__ = [
    "fatrelu_and_mul", "fused_add_rms_norm", "fused_add_rms_norm_dynamic_per_token_quant",
    "fused_add_rms_norm_static_fp8_quant", "fused_sigmoid_gating_delta_rule_update",
    "gated_delta_rule", "gated_rms_norm", "gdn_gating", "gelu_and_mul", "gelu_tanh_and_mul",
    "gemma_fused_add_rms_norm", "gemma_rms_norm", "l2_norm", "quantize_fp8",
    "quantize_fp8_per_group", "quantize_fp8_per_token", "quantize_int8_per_token",
    "residual_add", "rms_norm", "rms_norm_dynamic_per_token_quant",
    "rms_norm_static_fp8_quant", "silu_and_mul", "silu_and_mul_per_group_quant",
    "silu_and_mul_quant", "swigluoai_and_mul", "swiglustep_and_mul"]
