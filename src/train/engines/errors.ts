/** Our errors across a thread's border: structured cloning keeps neither class nor fields. */
import * as errors from "../../core/errors.ts";

export interface PackedError {
  name: string;
  message: string;
  stack: string | undefined;
  code?: string;
  where?: string | undefined;
  remedy?: string | undefined;
  fields?: Record<string, unknown>;
}

const CLASSES = {
  ConfigError: errors.ConfigError,
  DataError: errors.DataError,
  ShapeError: errors.ShapeError,
  NumericError: errors.NumericError,
  NativeError: errors.NativeError,
  RetryableError: errors.RetryableError,
} as const;

export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined };
  const { name, message, stack } = error;
  if (!(error instanceof errors.MeditronError)) return { name, message, stack };
  const { code, where, remedy, fields } = error;
  return {
    name,
    message,
    stack,
    code,
    where,
    remedy,
    fields: JSON.parse(JSON.stringify(fields)) as Record<string, unknown>,
  };
}

export function unpackError(packed: PackedError): Error {
  const { name, message, code, where, remedy, fields } = packed;
  if (name === "CancelledError") return new errors.CancelledError(message, remedy);
  const Known = CLASSES[name as keyof typeof CLASSES];
  if (Known && code !== undefined) return new Known(code, { message, where, remedy, ...(fields && { fields }) });
  const error = new Error(message);
  error.name = name;
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}
