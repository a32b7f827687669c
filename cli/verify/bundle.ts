export { evidenceOf, leafOf, type Evidence } from "../../infra/observe/evidence.ts";
