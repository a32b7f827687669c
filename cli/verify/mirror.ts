export {
  openMirror,
  roles,
  servedRevision,
  type Mirror,
  type Role,
} from "../../infra/observe/mirror.ts";
