"""Models of tools/gpu/models: configurations of transformers with the layers of the real
ones and few of them, their caches and their inputs."""

# Prompt that a step's cache holds, and room for the steps of a measurement.
CONTEXT, ROOM = 128, 200


def llama3_8b(layers, tiny):
    from transformers import LlamaConfig
    sizes = dict(hidden_size=4096, intermediate_size=14336, num_attention_heads=32,
                 num_key_value_heads=8)
    if tiny:
        sizes = dict(hidden_size=64, intermediate_size=96, num_attention_heads=4,
                     num_key_value_heads=2)
    return LlamaConfig(**sizes, vocab_size=1024, num_hidden_layers=layers, rms_norm_eps=1e-5,
                       max_position_embeddings=8192), "all sizes as they are"


def gemma3_27b(layers, tiny):
    from transformers import Gemma3TextConfig
    sizes = dict(hidden_size=5376, intermediate_size=21504, num_attention_heads=32,
                 num_key_value_heads=16, head_dim=128, query_pre_attn_scalar=168)
    if tiny:
        sizes = dict(hidden_size=64, intermediate_size=96, num_attention_heads=4,
                     num_key_value_heads=2, head_dim=16)
    kinds = ["sliding_attention"] * (layers - 1) + ["full_attention"]
    return Gemma3TextConfig(**sizes, vocab_size=1024, num_hidden_layers=layers,
                            layer_types=kinds, sliding_window=1024,
                            max_position_embeddings=8192), "the last layer has full attention"


def qwen3_next_80b(layers, tiny):
    from transformers import Qwen3NextConfig
    sizes = dict(hidden_size=2048, num_attention_heads=16, num_key_value_heads=2, head_dim=256,
                 linear_num_key_heads=16, linear_num_value_heads=32, linear_key_head_dim=128,
                 linear_value_head_dim=128, moe_intermediate_size=512,
                 shared_expert_intermediate_size=512, num_experts=512, num_experts_per_tok=10)
    if tiny:
        sizes = dict(hidden_size=64, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                     linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=32,
                     linear_value_head_dim=32, moe_intermediate_size=32,
                     shared_expert_intermediate_size=32, num_experts=4, num_experts_per_tok=2)
    kinds = ["full_attention" if at % 4 == 3 or at == layers - 1 else "linear_attention"
             for at in range(layers)]  # a cache needs one of them
    return Qwen3NextConfig(**sizes, vocab_size=1024, num_hidden_layers=layers,
                           layer_types=kinds, max_position_embeddings=8192), (
        f"{sizes['num_experts']} experts; each fourth layer and the last have full attention")


def deepseek_v3(layers, tiny):
    from transformers import DeepseekV3Config
    # 256 experts a layer are 22.5 GB in bf16; 64 still leave 8 to each of the 8 groups.
    sizes = dict(hidden_size=7168, intermediate_size=18432, moe_intermediate_size=2048,
                 num_attention_heads=128, num_key_value_heads=128, q_lora_rank=1536,
                 kv_lora_rank=512, qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128,
                 n_routed_experts=64, n_group=8, topk_group=4, num_experts_per_tok=8)
    if tiny:
        sizes = dict(hidden_size=64, intermediate_size=96, moe_intermediate_size=32,
                     num_attention_heads=4, num_key_value_heads=4, q_lora_rank=32,
                     kv_lora_rank=16, qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=16,
                     n_routed_experts=8, n_group=2, topk_group=1, num_experts_per_tok=2)
    dense = max(1, layers // 2)
    return DeepseekV3Config(**sizes, vocab_size=1024, num_hidden_layers=layers,
                            first_k_dense_replace=dense, max_position_embeddings=8192), (
        f"{dense} dense layers, the others of {sizes['n_routed_experts']} experts instead of "
        "256")


MODELS = {"llama3-8b": llama3_8b, "gemma3-27b": gemma3_27b,
          "qwen3-next-80b": qwen3_next_80b, "deepseek-v3": deepseek_v3}


def make(name, layers, tiny, device):
    """Of random weights, without a head, whose vocabulary would be most of few layers;
    and how it differs from the real one."""
    import torch
    from transformers import AutoModel
    config, note = MODELS[name](layers, tiny)
    torch.manual_seed(1)
    with torch.device(device):
        model = AutoModel.from_config(config, dtype=torch.bfloat16,
                                      attn_implementation="sdpa").eval()
        for key, weight in model.named_parameters():
            if "norm" in key:  # transformers begins with ones or zeros
                with torch.no_grad():
                    weight.add_(0.1 * torch.randn_like(weight))
    return model, note


class Prompt:
    """One prompt, without a cache."""

    def __init__(self, model, tokens):
        import torch
        self.tokens = torch.randint(1024, (1, tokens), device=model.device,
                                    generator=torch.Generator(model.device).manual_seed(2))

    def call(self, forward):
        return forward(self.tokens, use_cache=False).last_hidden_state


class Step:
    """A token for each of many sequences, whose caches hold a prompt already. Static ones,
    as CUDA graphs need them."""

    def __init__(self, model, sequences):
        import torch
        from transformers import StaticCache
        random = torch.Generator(model.device).manual_seed(2)
        draw = lambda count: torch.randint(1024, (sequences, count), device=model.device,
                                           generator=random)
        self.cache = StaticCache(config=model.config, max_cache_len=CONTEXT + ROOM)
        model(draw(CONTEXT), past_key_values=self.cache, use_cache=True)
        self.tokens = draw(1)

    def call(self, forward):
        # Sliding layers count in a Python integer too, which compiled code is specialized
        # for; the tensor beside it says where is written.
        for layer in self.cache.layers:
            if hasattr(layer, "cumulative_length_int"):
                layer.cumulative_length_int = CONTEXT
        return forward(self.tokens, past_key_values=self.cache,
                       use_cache=True).last_hidden_state
