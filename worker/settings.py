"""The job as frozen dataclasses: the same JSON that `src/train/job.ts` and `src/train/engines/torch-settings.ts` describe.

Names are snake_case here and camelCase in the file. `describe()` lists every setting with its type and default; a test
(`test/torch/settings.test.ts`) holds that list equal to the TypeScript schemas.
"""

import dataclasses
import json
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


class SettingsError(Exception):
    """A setting is wrong; the message names its key."""


@dataclass(frozen=True)
class Schedule:
    peak_learning_rate: float
    min_learning_rate: float
    warmup_steps: int
    decay_steps: int
    shape: Literal["cosine", "linear", "constant"] = "cosine"


@dataclass(frozen=True)
class Optimizer:
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-5
    weight_decay: float = 0.1
    grad_clip: float | None = 1
    states: Literal["f32", "bf16"] = "f32"


LoraTarget = Literal["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Lora:
    rank: int
    alpha: float
    targets: tuple[LoraTarget, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")


@dataclass(frozen=True)
class TokenSet:
    prefix: str
    weight: float


@dataclass(frozen=True)
class ValidationTokens:
    name: str
    prefix: str


@dataclass(frozen=True)
class Pretraining:
    sets: tuple[TokenSet, ...]
    kind: Literal["pretraining"] = "pretraining"
    validation: tuple[ValidationTokens, ...] = ()
    mask_documents: bool = False


@dataclass(frozen=True)
class ValidationExamples:
    name: str
    examples: str


@dataclass(frozen=True)
class Finetuning:
    examples: str
    kind: Literal["finetuning"] = "finetuning"
    validation: tuple[ValidationExamples, ...] = ()
    layout: Literal["padded", "packed"] = "padded"


@dataclass(frozen=True)
class Spikes:
    policy: Literal["off", "warn", "act"] = "off"
    window: int = 128
    z_score: float = 6
    skip_steps: int = 10


@dataclass(frozen=True)
class Layout:
    """How the processes are arranged: pipeline x replicate x shard x tensor = world size."""

    replicate: int = 1
    shard: int | None = None
    tensor: int = 1
    pipeline: int = 1
    pipeline_schedule: Literal["1F1B", "Interleaved1F1B"] = "1F1B"
    stages_per_rank: int = 1


@dataclass(frozen=True)
class Torch:
    python: str | None = None
    nodes: int = 1
    processes_per_node: int | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    layout: Layout = field(default_factory=Layout)
    compile: Literal["auto", "on", "off"] = "auto"
    attention: Literal["auto", "cudnn", "flash", "math"] = "auto"
    recompute_policy: Literal["full", "selective"] = "full"
    head_chunk_tokens: int = 2048
    fp8: bool = False
    masters: Literal["f32", "bf16"] = "f32"
    export_dtype: Literal["f32", "bf16"] | None = None
    async_checkpoints: bool = True
    max_restarts: int = 0
    preflight: bool = True
    deterministic: bool = False
    collective_timeout_seconds: int = 1800
    peak_tflops: float | None = None


@dataclass(frozen=True)
class TrainJob:
    name: str
    directory: str
    model: str
    tokenizer: str
    data: Pretraining | Finetuning
    sequence_length: int
    global_batch_size: int
    micro_batch_size: int
    steps: int
    schedule: Schedule
    engine: Literal["embedded", "torch"] = "embedded"
    grow_vocabulary: bool = False
    seed: int = 1234
    optimizer: Optimizer = field(default_factory=Optimizer)
    precision: Literal["f32", "bf16"] = "bf16"
    recompute: bool = False
    lora: Lora | None = None
    checkpoint_every_steps: int = 1000
    keep_checkpoints: int = 2
    validate_every_steps: int = 100
    validation_batches: int = 10
    spikes: Spikes = field(default_factory=Spikes)
    threads: int | None = None
    torch: Torch = field(default_factory=Torch)


@dataclass(frozen=True)
class Launch:
    """What TypeScript hands over: the job, and what it has found out about its files."""

    job: TrainJob
    vocab_size: int
    """Tokens of the tokenizer: rows are added up to here with `grow_vocabulary`."""
    pad_id: int
    end_ids: tuple[int, ...] = ()
    """Tokens that end a generated answer."""
    identity: dict[str, Any] = field(default_factory=dict)
    """What makes two jobs the same run (src/train/identity.ts); kept in every checkpoint."""


def load_launch(path: str) -> Launch:
    value = json.loads(Path(path).read_text())
    return Launch(parse(TrainJob, value["job"]), value["vocabSize"], value["padId"], tuple(value.get("endIds", ())),
                  value.get("identity", {}))  # fmt: skip


def camel(name: str) -> str:
    head, *rest = name.split("_")
    # `q_proj` and friends are values, never field names, so every underscore joins two words.
    return head + "".join(word.capitalize() for word in rest)


def parse(kind: Any, value: Any, where: str = "job") -> Any:
    """Builds `kind` from parsed JSON; unknown, missing and mistyped members are errors that name their place."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        options = get_args(kind)
        if value is None and type(None) in options:
            return None
        options = [option for option in options if option is not type(None)]
        if len(options) > 1:  # told apart by `kind`
            options = [o for o in options if isinstance(value, dict) and kind_of(o) == value.get("kind")]
        if len(options) != 1:
            raise SettingsError(f"{where}: unknown kind {value!r}")
        return parse(options[0], value, where)
    if origin is Literal:
        if value not in get_args(kind):
            raise SettingsError(f"{where} must be one of {', '.join(map(repr, get_args(kind)))}; got {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise SettingsError(f"{where} must be a list; got {value!r}")
        return tuple(parse(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if dataclasses.is_dataclass(kind):
        return parse_members(kind, value, where)
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {bool: isinstance(value, bool), str: isinstance(value, str), float: numeric,
            int: numeric and float(value).is_integer()}[kind]
    if not fits:
        raise SettingsError(f"{where} must be of type {kind.__name__}; got {value!r}")
    return kind(value)


def parse_members(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise SettingsError(f"{where} must be an object; got {value!r}")
    hints = get_type_hints(kind)
    members = {camel(f.name): f for f in dataclasses.fields(kind)}
    unknown = [key for key in value if key not in members]
    if unknown:
        raise SettingsError(f"{where} has no member {unknown[0]!r}; it has {', '.join(members)}")
    missing = [key for key, f in members.items() if key not in value and is_required(f)]
    if missing:
        raise SettingsError(f"{where}.{missing[0]} is missing")
    return kind(**{f.name: parse(hints[f.name], value[key], f"{where}.{key}")
                   for key, f in members.items() if key in value})


def is_required(f: dataclasses.Field) -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING


def kind_of(kind: Any) -> str | None:
    return next((f.default for f in dataclasses.fields(kind) if f.name == "kind"), None)


def describe(kind: Any = TrainJob, where: str = "") -> dict[str, Any]:
    """Every setting by its path: {"type", "nullable", "default" | "required"}. For the test that compares both languages."""
    table: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for f in dataclasses.fields(kind):
        path = f"{where}{camel(f.name)}"
        options = [o for o in get_args(hints[f.name]) if o is not type(None)] if is_union(hints[f.name]) else [hints[f.name]]
        nullable = is_union(hints[f.name]) and type(None) in get_args(hints[f.name])
        if any(dataclasses.is_dataclass(o) for o in options):
            for option in options:
                tag = kind_of(option)
                table |= describe(option, f"{path}({tag})." if tag else f"{path}.")
            continue
        (option,) = options
        if get_origin(option) is tuple and dataclasses.is_dataclass(get_args(option)[0]):
            table |= describe(get_args(option)[0], f"{path}[].")
            continue
        entry: dict[str, Any] = {"type": type_name(option), "nullable": nullable}
        if not is_required(f) and f.name != "kind":
            entry["default"] = list(f.default) if isinstance(f.default, tuple) else f.default
        table[path] = entry
    return table


def is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def type_name(kind: Any) -> Any:
    if get_origin(kind) is Literal:
        return sorted(get_args(kind))
    if get_origin(kind) is tuple:
        return {"list": type_name(get_args(kind)[0])}
    return {int: "integer", float: "number", str: "string", bool: "boolean"}[kind]


if __name__ == "__main__":
    print(json.dumps(describe()))
