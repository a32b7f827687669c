export {
  certificateWarnDays,
  clockTolerance,
  timestampWarnShare,
  warnDays,
} from "../../infra/observe/horizon.ts";
