"""Small models of transformers with random weights, and how near their outputs must be."""

import mortar.integrations.transformers as integration
import pytest
import torch
import transformers
from transformers import cache_utils

SIZES = dict(vocab_size=128, hidden_size=64, intermediate_size=96, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=256, pad_token_id=0)
EXPERTS = dict(moe_intermediate_size=32, num_experts_per_tok=2)
CONFIGS = {
    "llama": lambda: transformers.LlamaConfig(**SIZES, num_hidden_layers=2, mlp_bias=True),
    "gemma3": lambda: transformers.Gemma3TextConfig(**SIZES, num_hidden_layers=2, head_dim=16),
    "qwen3_next": lambda: transformers.Qwen3NextConfig(
        **SIZES, **EXPERTS, num_hidden_layers=2, layer_types=[
            "linear_attention", "full_attention"], head_dim=16, num_experts=4,
        shared_expert_intermediate_size=32, linear_num_value_heads=4,
        linear_num_key_heads=2, linear_key_head_dim=32, linear_value_head_dim=16),
    "deepseek_v3": lambda: transformers.DeepseekV3Config(
        **{**SIZES, "num_key_value_heads": 4}, **EXPERTS, num_hidden_layers=2,
        first_k_dense_replace=1, n_routed_experts=4, n_group=2, topk_group=1, q_lora_rank=32,
        kv_lora_rank=16, qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=16),
}
# Of the largest logit. Sums of a row's squares, a head's products and a state's terms are
# in another order than PyTorch's, so f32 differs in its last places, some 2^-24 each; in
# bf16 a value beside a rounding boundary falls to its other side, an ulp of 2^-8, which
# later layers carry on.
BOUNDS = {torch.float32: 2.0 ** -16, torch.bfloat16: 2.0 ** -6}


@pytest.fixture(autouse=True)
def nothing_stays_enabled():
    """Also where a test fails."""
    yield
    for installed in list(integration._installed.values()):
        for one in list(installed.holders):
            one.disable()


def make(name, dtype=torch.float32):
    """Weights large enough that every norm's, bias's and gate's matters."""
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(
        CONFIGS[name](), attn_implementation="sdpa").eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            scale = weight.shape[-1] ** -0.5 if weight.ndim > 1 else 0.3
            noise = scale * torch.randn(weight.shape)
            weight.copy_(noise + (weight if weight.ndim == 1 else 0))
    return model.to(dtype)


def tokens(batch, length):
    return torch.randint(1, 128, (batch, length), generator=torch.Generator().manual_seed(5))


def assert_near(found, expected):
    assert found.dtype == expected.dtype and found.shape == expected.shape
    bound = BOUNDS[expected.dtype] * expected.abs().max()
    difference = (found.float() - expected.float()).abs().max()
    assert difference <= bound, f"differ by {difference}, bound {bound}"


def steps(model, prompt, count=5):
    """Logits of a prompt and of steps with its cache, on given tokens; and the cache."""
    given, cache = tokens(prompt.shape[0], count), None
    out = model(prompt, use_cache=True)
    logits, cache = [out.logits], out.past_key_values
    for at in range(count):
        out = model(given[:, at:at + 1], past_key_values=cache, use_cache=True)
        logits.append(out.logits)
    return logits, cache


def states(cache):
    return [layer.recurrent_states[0] for layer in cache.layers
            if isinstance(layer, cache_utils.LinearAttentionLayer)]


def kinds(enabled):
    return [entry.op for entry in enabled._installed.replaced
            if entry.op and entry.calls]
