/** What a pipeline learns from `anchorhold`: all well, a check failed, or nothing could be checked. */
export const exitCode = { ok: 0, checkFailed: 1, cannotRun: 2 } as const;
