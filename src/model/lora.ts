/** LoRA on disk: merged into the weights (W + s·BA) for a plain model, or alone as PEFT reads it. */
import { join } from "node:path";
import { DataError, writeJsonAtomic } from "../core/index.ts";
import type { Kernels, Storage } from "../native/kernels.ts";
import { read } from "../native/storage.ts";
import { isAdapter, type LoraSettings, partsOf, type Weights } from "./parameters.ts";
import type { Projection } from "./projection.ts";
import { SafetensorsReader, type SavedTensor, type SaveType, writeSafetensors } from "./safetensors.ts";
import { floats, type Parameter } from "./tensor.ts";

/** W + s·B·A of every adapter on `p`, in float32. Shape [outputs, inputs]. */
export function mergedWeight(p: Projection, kernels: Kernels): Float32Array {
  const merged = Float32Array.from(read(p.weight.data));
  for (const { a, b, column, scale } of p.adapters) {
    kernels.gemm(merged.subarray(column * p.inputs, (column + b.rows) * p.inputs), floats(b.data), floats(a.data), {
      m: b.rows,
      n: p.inputs,
      k: a.rows,
      alpha: scale,
      accumulate: true,
      precision: "f32",
    });
  }
  return merged;
}

/** Every tensor of the base model's file, adapters merged in. Merged matrices live only while they are written. */
export function mergedTensors(weights: Weights, kernels: Kernels): SavedTensor[] {
  const adapted = new Map<Parameter, Projection>();
  for (const block of weights.blocks) {
    for (const p of [block.qkv, block.output, block.gateUp, block.down])
      if (p.adapters.length > 0) adapted.set(p.weight, p);
  }
  return weights.all
    .filter((parameter) => !isAdapter(parameter))
    .flatMap((parameter) => {
      const projection = adapted.get(parameter);
      if (!projection) return partsOf(parameter);
      let at = 0;
      return parameter.parts.map(({ name, shape, rows }) => {
        const from = at * parameter.channels;
        at += rows;
        const to = at * parameter.channels;
        return {
          name,
          shape,
          get data(): Storage {
            return mergedWeight(projection, kernels).subarray(from, to);
          },
        };
      });
    });
}

/** Writes `adapter_model.safetensors` and `adapter_config.json`, loadable with PEFT's `PeftModel.from_pretrained`. */
export async function saveAdapter(
  directory: string,
  weights: Weights,
  lora: LoraSettings,
  options: { dtype: SaveType; baseModel?: string },
): Promise<void> {
  const tensors = weights.all.filter(isAdapter).flatMap(partsOf);
  await writeSafetensors(directory, tensors, { dtype: options.dtype, stem: "adapter_model" });
  await writeJsonAtomic(join(directory, "adapter_config.json"), {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: options.baseModel ?? null,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: 0,
    target_modules: lora.targets,
    bias: "none",
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
  });
}

/** Reads what `saveAdapter` or PEFT wrote. @throws {DataError} MODEL_TENSOR if the adapters have other targets or another rank. */
export async function loadAdapter(directory: string, weights: Weights): Promise<void> {
  const reader = await SafetensorsReader.open(directory, "adapter_model.safetensors");
  try {
    const adapters = weights.all.filter(isAdapter);
    const left = new Set(reader.names);
    for (const { name, shape, data } of adapters.flatMap(partsOf)) {
      left.delete(name);
      const found = reader.shape(name);
      if (found?.join() === shape.join()) await reader.read(name, data);
      else
        throw mismatch(
          directory,
          `tensor ${name} ${found ? `has shape [${found}]` : "is missing"}; the settings ask for [${shape}]`,
        );
    }
    if (left.size > 0)
      throw mismatch(directory, `the settings have no place for ${left.size} tensors, ${[...left][0]} first`);
  } finally {
    await reader.close();
  }
}

function mismatch(where: string, message: string): DataError {
  return new DataError("MODEL_TENSOR", {
    message,
    where,
    remedy: "use the rank and targets that the adapter was trained with",
  });
}
