/** Errors across threads: structured clone keeps neither class nor code, so both travel as data. */
import {
  CancelledError,
  ConfigError,
  DataError,
  MeditronError,
  NativeError,
  NumericError,
  RetryableError,
  ShapeError,
} from "./errors.ts";

export interface PackedError {
  name: string;
  code: string | undefined;
  message: string;
  where: string | undefined;
  remedy: string | undefined;
  fields: Record<string, unknown>;
  stack: string | undefined;
}

const CLASSES = { ConfigError, DataError, MeditronError, NativeError, NumericError, RetryableError, ShapeError };

export function packError(error: unknown): PackedError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const details = error instanceof MeditronError ? error : undefined;
  return {
    name,
    code: details?.code,
    message,
    where: details?.where,
    remedy: details?.remedy,
    fields: details?.fields ?? {},
    stack,
  };
}

/** The same error on this side; the stack is the one of the thread that threw it. */
export function unpackError(packed: PackedError): Error {
  const error = rebuild(packed);
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}

function rebuild({ name, code, ...details }: PackedError): Error {
  if (code === undefined) return Object.assign(new Error(details.message), { name });
  if (name === "CancelledError") return new CancelledError(details.message, details.remedy);
  const Class = CLASSES[name as keyof typeof CLASSES] ?? MeditronError;
  return new Class(code, details);
}
