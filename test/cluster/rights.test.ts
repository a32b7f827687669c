// The deploying identity of the node here has the rights that `anchorhold rbac` prints and no others;
// the API server has logged what it did with them, from the first deployment on.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { namespaceRules } from "../../cli/rbac/rules.ts";
import { auditLogPath, auditPolicyPath } from "../../local/node/components.ts";
import { deployer, layout } from "../../local/node/layout.ts";
import { isOurNode, whySkipped } from "./support/node.ts";
import { describeStack, mustRun, projectRoot, pulumi, verifyLocal } from "./support/stack.ts";

/** What is read here of an audit.k8s.io/v1 Event. */
interface Event {
  verb: string;
  user: { username: string };
  requestURI: string;
  requestReceivedTimestamp: string;
  objectRef?: { resource: string; subresource?: string; apiGroup?: string; namespace?: string };
  responseStatus?: { code: number };
}

function events(): Event[] {
  const rotated = readFileSync(auditLogPath(layout), "utf8").split("\n").filter(Boolean);
  return rotated.map((line) => JSON.parse(line) as Event);
}

/** When the node was: what an older run was refused is not this one's. */
const started = (): Date => statSync(auditPolicyPath(layout)).mtime;

async function backUp(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "anchorhold-rights-"));
  const env = { ...process.env, ANCHORHOLD_BACKUP_PASSPHRASE: randomBytes(32).toString("base64") };
  const args = ["local/cli.ts", "anchorhold", "backup", join(folder, "backup")];
  await mustRun(process.execPath, args, { cwd: projectRoot, env });
  await rm(folder, { recursive: true });
}

const resourceOf = ({ objectRef }: Event): string =>
  [objectRef?.resource, objectRef?.subresource].filter(Boolean).join("/");

await describeStack("the deploying identity", ({ outputs }) => {
  test.skipIf(!isOurNode)(
    `was refused nothing, and uses every rule that it has${whySkipped}`,
    async () => {
      expect((await pulumi("up", "--yes", "--skip-preview", "--refresh")).code).toBe(0);
      expect((await verifyLocal()).code).toBe(0);
      await backUp();
      expect(existsSync(auditLogPath(layout))).toBe(true);
      const own = events().filter(({ user }) => user.username === deployer.user);
      const refused = own
        .filter(({ requestReceivedTimestamp }) => new Date(requestReceivedTimestamp) > started())
        .filter(({ responseStatus }) => responseStatus?.code === 403);
      expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);

      const inside = own.filter(({ objectRef }) =>
        objectRef?.namespace?.startsWith(`${outputs.prefix}-`),
      );
      const used = new Set(inside.map((event) => `${resourceOf(event)} ${event.verb}`));
      const table = namespaceRules.flatMap(({ resources, verbs }) =>
        resources.map((resource) => ({
          resource,
          used: verbs.filter((verb) => used.has(`${resource} ${verb}`)),
          unused: verbs.filter((verb) => !used.has(`${resource} ${verb}`)),
        })),
      );
      console.table(
        table.map((row) => ({ ...row, used: row.used.join(), unused: row.unused.join() })),
      );
      expect(table.filter((row) => row.used.length === 0)).toEqual([]);
    },
  );
});
