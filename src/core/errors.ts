/**
 * Errors that help: every failure a user can cause carries a stable code, the place, and what to do next.
 * The subclass says what the caller can do about it (see docs/errors.md).
 */

export interface ErrorDetails {
  /** What is wrong, in one sentence, without the place. */
  message: string;
  /** File, line, byte offset, recipe key, step ...: where it is. */
  where?: string | undefined;
  /** What would make it right. */
  remedy?: string | undefined;
  cause?: unknown;
  /** Typed extras for machines (`--json`). */
  fields?: Record<string, unknown>;
}

/** Base of all expected failures. Anything else that reaches the command line is a bug and shows its stack. */
export class MeditronError extends Error {
  readonly code: string;
  readonly where: string | undefined;
  readonly remedy: string | undefined;
  readonly fields: Record<string, unknown>;

  constructor(code: string, details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.where = details.where;
    this.remedy = details.remedy;
    this.fields = details.fields ?? {};
  }
}

/** A setting is wrong: change it. Raised before any work starts. */
export class ConfigError extends MeditronError {}
/** A record or file is malformed: skip or repair it. */
export class DataError extends MeditronError {}
/** Arguments do not fit each other: fix the call. */
export class ShapeError extends MeditronError {}
/** A number left its domain (NaN loss): look at the step and the tensor. */
export class NumericError extends MeditronError {}
/** The native addon is missing or does not fit this machine: rebuild, or use the reference kernels. */
export class NativeError extends MeditronError {}
/** The outside world failed (network, disk full, endpoint down): wait and try again. */
export class RetryableError extends MeditronError {}
/** The user asked to stop. Not a failure: work up to here is saved and resumes. */
export class CancelledError extends MeditronError {
  constructor(message = "stopped on request", remedy?: string) {
    super("RUN_CANCELLED", { message, remedy });
  }
}

/** `CODE at where: message` and the remedy on its own line, as the command line prints it. */
export function formatError(error: unknown): string {
  if (!(error instanceof MeditronError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const place = error.where ? ` at ${error.where}` : "";
  const remedy = error.remedy ? `\n  → ${error.remedy}` : "";
  return `${error.code}${place}: ${error.message}${remedy}`;
}

/** Turns file-system failures into ours: a full disk and a missing file are no bugs. Others pass through unchanged. */
export function fromSystemError(error: unknown, path: string, doing: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new RetryableError("IO_DISK_FULL", {
        message: `no space left while ${doing}`,
        where: path,
        remedy: "free some space and run the same command again: it resumes from the last complete file",
        cause: error,
      });
    case "ENOENT":
      return new ConfigError("IO_NOT_FOUND", {
        message: `no such file or folder (${doing})`,
        where: path,
        remedy: "check the path",
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new ConfigError("IO_NOT_ALLOWED", {
        message: `not allowed (${doing})`,
        where: path,
        remedy: "check the permissions",
        cause: error,
      });
    default:
      return error;
  }
}
