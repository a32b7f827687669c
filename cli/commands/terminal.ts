/** Where a command writes and how it tells the process's exit code; tests pass their own. */
export interface Terminal {
  out(text: string): void;
  setExitCode(code: number): void;
}
