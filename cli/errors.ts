export { CannotRun, oneLine } from "../infra/observe/errors.ts";
