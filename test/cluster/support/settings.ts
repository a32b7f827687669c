import { parse } from "yaml";
import { readFile } from "node:fs/promises";
import type { Issuer } from "../../../infra/config/issuers.ts";
import { stackFile } from "../../../local/stack/environment.ts";
import { Rotation } from "./rotation.ts";

/** The local stack with further issuers, until `restore`; generations stay as they are. */
export async function withIssuers(further: readonly Issuer[]): Promise<Rotation> {
  const { config } = parse(await readFile(stackFile, "utf8")) as {
    config: { "anchorhold:issuers": Issuer[] };
  };
  return new Rotation({ issuers: [...config["anchorhold:issuers"], ...further] });
}
