import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StackOutputs } from "../../../../infra/outputs.ts";
import type { Standing } from "../../../../cli/rotate/standing.ts";
import { ecKeyPair, fulcioCaRecord, logRecord, tsaRecord } from "../../trust/fixture.ts";

const shipped = new URL("../../../../stacks/Pulumi.local.yaml", import.meta.url);
const nobody = "http://127.0.0.1:1";

/** What stands in for the Pulumi program: it notes each call with the stack file as it is then. */
const program = `
import { appendFileSync, copyFileSync, existsSync, readFileSync } from "node:fs";
const [folder, ...args] = process.argv.slice(2);
const at = (name) => folder + "/" + name;
const file = readFileSync(at("stack.yaml"), "latin1");
appendFileSync(at("calls.jsonl"), JSON.stringify({ args, file }) + "\\n");
const command = args[0];
if (command === "stack") process.stdout.write(readFileSync(at("outputs.json")));
if (command === "preview" && existsSync(at("hang"))) setInterval(() => {}, 1000);
if (command === "preview" && existsSync(at("append"))) appendFileSync(at("stack.yaml"), "# mine\\n");
if (existsSync(at("fail-" + command))) process.exitCode = 255;
else if (command === "up" && existsSync(at("after.json")))
  copyFileSync(at("after.json"), at("outputs.json"));
`;

interface Call {
  args: string[];
  /** The stack file's bytes when Pulumi was called. */
  file: string;
}

/** A stack file on disk and a stand-in for Pulumi that answers for a deployed stack. */
export class StackStandIn {
  readonly folder = mkdtempSync(join(tmpdir(), "anchorhold-rotate-"));
  readonly file = join(this.folder, "stack.yaml");

  constructor() {
    copyFileSync(shipped, this.file);
    writeFileSync(join(this.folder, "pulumi.mjs"), program);
  }

  /** The value of ANCHORHOLD_PULUMI. */
  get pulumi(): string {
    return `node ${join(this.folder, "pulumi.mjs")} ${this.folder}`;
  }

  /** What Pulumi was called for, but for the stack's outputs. */
  get calls(): Call[] {
    const path = join(this.folder, "calls.jsonl");
    const lines = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
    return lines.map((line) => JSON.parse(line) as Call).filter(({ args }) => args[0] !== "stack");
  }

  get bytes(): string {
    return readFileSync(this.file, "latin1");
  }

  /** The outputs of the stack as deployed, or as its next update leaves them. */
  async outputs(standing: Standing, when: "now" | "after" = "now"): Promise<void> {
    const name = when === "now" ? "outputs.json" : "after.json";
    writeFileSync(join(this.folder, name), JSON.stringify(await outputsOf(standing)));
  }

  /** Lets Pulumi's stand-in fail, hang or write into the stack file. */
  let(what: "fail-preview" | "fail-up" | "hang" | "append", on = true): void {
    const path = join(this.folder, what);
    if (on) writeFileSync(path, "");
    else rmSync(path);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Outputs of a stack whose services nobody answers for. */
async function outputsOf({ life, records }: Standing): Promise<StackOutputs> {
  const [rekor, ctLog, tsa] = [logRecord(1, nobody), logRecord(1, nobody), await tsaRecord(1)];
  const { apiVersion, generation, source, start } = rekor;
  const base = { apiVersion, generation, source, start };
  const key = ecKeyPair().publicKeyPem;
  const fulcioCa = await fulcioCaRecord(1);
  const first = { ...life, states: { "1": "active" }, issues: 1, published: {}, switches: [] };
  const revision = "0".repeat(64);
  return {
    mirror: { url: nobody, rootUrl: `${nobody}/1.root.json`, rootSha256: revision },
    services: { fulcio: nobody, rekor: nobody, ctLog: nobody, tsa: nobody },
    issuers: [],
    probe: { namespace: "probe", serviceAccount: "probe", audience: "sigstore" },
    revision,
    prefix: "test",
    clusterUid: "test",
    records: {
      fulcioCa: Object.fromEntries(
        Object.entries(records).map(([n, record]) => [
          n,
          { ...fulcioCa, generation: Number(n), start: record.start },
        ]),
      ),
      ctLog: { "1": ctLog },
      rekor: { "1": rekor },
      tsa: { "1": tsa },
      tufRoot: { "1": { ...base, rootKeyPem: key, targetsKeyPem: key } },
      tufOnline: { "1": { ...base, snapshotKeyPem: key, timestampKeyPem: key } },
    },
    life: {
      fulcioCa: life,
      ctLog: first,
      rekor: first,
      tsa: first,
      tufRoot: first,
      tufOnline: first,
    },
    leadTimeSeconds: 300,
    tuf: { version: 1, revision, expires: start, timestampLifeSeconds: 1 },
    initialRoot: "{}",
  };
}
